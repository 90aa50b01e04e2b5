# cython: language_level=3, cdivision=True
# How single values look as text, written to memory that has room for it; nothing here asks whether it has.

from libc.stdint cimport uint8_t, uint16_t, uint64_t
from libc.string cimport memcpy

cdef extern from *:
    """
    static const char pfkey_hex[] = "0123456789abcdef";
    static const char pfkey_pairs[] =
        "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
        "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    static const char pfkey_months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    """
    const char* HEX "pfkey_hex"
    const char* PAIRS "pfkey_pairs"
    const char* MONTHS "pfkey_months"

cdef enum:
    DECIMAL_SIZE = 20  # digits of the largest number
    ADDRESS_SIZE = 48
    V4_SIZE = 16
    DATE_SIZE = 20
    DAY = 86400

cdef struct Day:
    uint64_t number  # counted from 1970
    uint8_t date[7]  # what a date begins with
    uint8_t year[5]  # and what it ends with


cdef inline uint8_t* digits_before(uint8_t* end, uint64_t number) noexcept nogil:
    """Write the digits of a number so that they end before `end`; where they begin."""
    while number >= 100:
        end -= 2
        memcpy(end, PAIRS + 2 * (number % 100), 2)
        number //= 100
    if number >= 10:
        end -= 2
        memcpy(end, PAIRS + 2 * number, 2)
    else:
        end -= 1
        end[0] = <uint8_t> (48 + number)
    return end


cdef inline uint8_t* dotted(uint8_t* to, const uint8_t* raw) noexcept nogil:
    """An IPv4 address, in V4_SIZE bytes at most; where it ends."""
    cdef int k
    cdef uint8_t octet
    for k in range(4):
        octet = raw[k]
        if octet >= 100:
            to[0] = <uint8_t> (48 + octet // 100)
            memcpy(to + 1, PAIRS + 2 * (octet % 100), 2)
            to += 3
        elif octet >= 10:
            memcpy(to, PAIRS + 2 * octet, 2)
            to += 2
        else:
            to[0] = <uint8_t> (48 + octet)
            to += 1
        to[0] = 46
        to += 1
    return to - 1


cdef inline uint8_t* colons(uint8_t* to, const uint8_t* raw) noexcept nogil:
    """An IPv6 address as inet_ntop writes it; where it ends."""
    cdef uint16_t groups[8]
    cdef int start = 8
    cdef int length = 1
    cdef int place, end, k
    cdef int shift
    for k in range(8):
        groups[k] = <uint16_t> (raw[2 * k] << 8 | raw[2 * k + 1])
    place = 0
    while place < 8:
        end = place
        while end < 8 and groups[end] == 0:
            end += 1
        if end - place > length:
            start = place
            length = end - place
        place = max(end, place + 1)
    place = 0
    while place < 8:
        if place == start:
            to[0] = 58
            to += 1
            place += length
            if place == 8:
                to[0] = 58
                to += 1
            continue
        if place:
            to[0] = 58
            to += 1
        if place == 6 and start == 0 and (length == 6 or (length == 5 and groups[5] == 0xFFFF)):
            return dotted(to, raw + 12)
        shift = 12
        while shift and groups[place] >> shift == 0:
            shift -= 4
        while shift >= 0:
            to[0] = <uint8_t> HEX[groups[place] >> shift & 15]
            to += 1
            shift -= 4
        place += 1
    return to


cdef inline void note_day(Day* noted, uint64_t day) noexcept nogil:
    """Keep the text of a day: the calendar is the same for all of its seconds.

    Years are counted from the first of March, so that the day that is sometimes there comes last.
    """
    cdef uint64_t since = day + 719468  # from 0000-03-01
    cdef uint64_t era = since // 146097  # 400 years
    cdef uint64_t of_era = since - era * 146097
    cdef uint64_t year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    cdef uint64_t of_year = of_era - (365 * year + year // 4 - year // 100)
    cdef uint64_t month = (5 * of_year + 2) // 153  # from March
    cdef uint64_t of_month = of_year - (153 * month + 2) // 5 + 1
    year += era * 400 + (month >= 10)
    month = month - 10 if month >= 10 else month + 2
    noted.number = day
    memcpy(noted.date, MONTHS + 3 * month, 3)
    memcpy(noted.date + 4, PAIRS + 2 * of_month, 2)
    if of_month < 10:
        noted.date[4] = 32
    noted.date[3] = 32
    noted.date[6] = 32
    noted.year[0] = 32
    memcpy(noted.year + 1, PAIRS + 2 * (year // 100), 2)
    memcpy(noted.year + 3, PAIRS + 2 * (year % 100), 2)


cdef inline void dated(uint8_t* to, const Day* noted, uint64_t second) noexcept nogil:
    """A second of a day, in DATE_SIZE bytes."""
    memcpy(to, noted.date, 7)
    memcpy(to + 7, PAIRS + 2 * (second // 3600), 2)
    to[9] = 58
    memcpy(to + 10, PAIRS + 2 * (second // 60 % 60), 2)
    to[12] = 58
    memcpy(to + 13, PAIRS + 2 * (second % 60), 2)
    memcpy(to + 15, noted.year, 5)
