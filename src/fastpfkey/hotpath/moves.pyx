# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""What the steps of a building job come to, once all its shapes are looked at.

Everything that depends on shapes only is found here, once a call: whether steps stay inside their messages, which of
them change nothing, which go together, and for each shape where they write. What a message lacks goes nowhere: to a
place of its own, or through a mask that has nothing, because with many shapes in random order a decision a message
would cost more than the store.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from .job cimport BYTES, NO_MEMORY, NO_TEMPLATE, NUMBER, OUTSIDE, BuildStep, Job, String

cdef extern from "zero.h":
    bint is_zero "pfkey_is_zero"(const uint8_t* octets, uint64_t size) noexcept nogil

cdef enum:
    LINE = 64
    USUAL = 512  # bytes of a template that are copied unasked at most, if any is as long
    ADDRESS = 16
    TABLE = 24  # bytes that the tables of a step have for a shape at most, of which there are two at most
    ALIGNED = 16  # what tables begin at multiples of


cdef Work* work_new(const Job* job, int64_t* fault) noexcept nogil:
    """See the declaration."""
    cdef Work* work = <Work*> calloc(1, sizeof(Work))
    cdef int32_t s
    fault[0] = NO_MEMORY
    if work == NULL:
        return NULL
    work.templates = <Template*> calloc(job.shapes_count + 1, sizeof(Template))
    work.inserts = <Insert*> calloc(job.steps_count + 1, sizeof(Insert))
    work.moves = <Move*> calloc(job.steps_count + 1, sizeof(Move))
    work.active = <int32_t*> calloc(job.steps_count + 1, sizeof(int32_t))
    work.tables = <uint8_t*> calloc(<uint64_t> job.steps_count + 1, <uint64_t> job.shapes_count * TABLE + 2 * ALIGNED)
    if work.templates != NULL and work.inserts != NULL and work.moves != NULL and work.active != NULL:
        if work.tables != NULL:
            fault[0] = load_templates(work, job)
    for s in range(job.steps_count):
        if fault[0] == 0:
            fault[0] = check(job, job.steps + s)
    if fault[0]:
        work_free(work)
        return NULL
    make_moves(work, job, find_active(work, job))
    return work


cdef void work_free(Work* work) noexcept nogil:
    """See the declaration."""
    if work != NULL:
        free(work.templates)
        free(work.inserts)
        free(work.moves)
        free(work.active)
        free(work.tables)
        free(work.octets)
        free(work)


cdef int64_t load_templates(Work* work, const Job* job) noexcept nogil:
    """Copy the templates to whole lines, with room behind the last. Returns 0 or a fault."""
    cdef uint64_t room = 0
    cdef const uint8_t* read = job.octets
    cdef uint32_t k
    for k in range(job.shapes_count):
        if job.lengths[k] < 0:
            return NO_TEMPLATE
        room += whole_lines(job.lengths[k])
        work.longest = max(work.longest, <int32_t> whole_lines(job.lengths[k]))
    work.octets = <uint8_t*> calloc(room + work.longest + LINE, 1)
    if work.octets == NULL:
        return NO_MEMORY
    room = 0
    for k in range(job.shapes_count):
        work.templates[k].octets, work.templates[k].length = work.octets + room, job.lengths[k]
        if job.lengths[k]:
            memcpy(work.octets + room, read, job.lengths[k])
        read += job.lengths[k]
        room += whole_lines(job.lengths[k])
    work.stock.templates, work.stock.shapes_count = work.templates, job.shapes_count
    work.stock.usual = min(work.longest, <int32_t> USUAL)
    work.stock.inserts = work.inserts
    return 0


cdef inline uint64_t whole_lines(uint64_t size) noexcept nogil:
    """As many bytes or a few more."""
    return (size + LINE - 1) // LINE * LINE


cdef inline int32_t place_of(const Job* job, const BuildStep* step, uint32_t shape) noexcept nogil:
    """Where the part of a step begins, -1 if it is absent."""
    return job.places[<uint64_t> shape * job.parts_count + step.part]


cdef inline int32_t size_of(const Job* job, const BuildStep* step, uint32_t shape) noexcept nogil:
    """Bytes that a step writes in a shape that has its part."""
    if step.op == BYTES:
        return job.places[<uint64_t> shape * job.parts_count + step.width]
    return step.width


cdef int64_t check(const Job* job, const BuildStep* step) noexcept nogil:
    """0 if a step stays inside its messages."""
    cdef int32_t place, size
    cdef uint32_t k
    for k in range(job.shapes_count):
        place, size = place_of(job, step, k), size_of(job, step, k)
        if place >= 0:
            if size < 0 or step.distance < 0 or size > <int64_t> job.lengths[k] - place - step.distance:
                return OUTSIDE
    return 0


cdef int32_t find_active(Work* work, const Job* job) noexcept nogil:
    """Note the steps that change anything, and return how many."""
    cdef int32_t count = 0
    cdef int32_t s
    for s in range(job.steps_count):
        if not is_idle(work, job, job.steps + s, count):
            work.active[count] = s
            count += 1
    return count


cdef bint is_idle(const Work* work, const Job* job, const BuildStep* step, int32_t before) noexcept nogil:
    """Whether no shape has its part, or it would write zeros where templates and active steps before have zeros."""
    cdef int32_t begin, s
    cdef uint32_t k
    cdef bint absent = True
    cdef const BuildStep* earlier
    for k in range(job.shapes_count):
        begin = place_of(job, step, k)
        if begin < 0:
            continue
        absent = False
        if step.op == BYTES or not is_zero(work.templates[k].octets + begin + step.distance, step.width):
            return False
        for s in range(before):
            earlier = job.steps + work.active[s]
            if overlap(job, step, earlier, k):
                return False
    return absent or is_zero(job.columns[step.source], job.rows * (step.width if step.op == NUMBER else ADDRESS))


cdef bint overlap(const Job* job, const BuildStep* one, const BuildStep* other, uint32_t shape) noexcept nogil:
    """Whether two steps write the same bytes in a shape that has the part of the one."""
    cdef int32_t first = place_of(job, one, shape) + one.distance
    cdef int32_t second = place_of(job, other, shape)
    if second < 0:
        return False
    second += other.distance
    return first < second + size_of(job, other, shape) and second < first + size_of(job, one, shape)


cdef void make_moves(Work* work, const Job* job, int32_t count) noexcept nogil:
    """A move for each active step, or for two that go together."""
    cdef int32_t s = 0
    cdef const BuildStep* step
    cdef const BuildStep* following
    while s < count:
        step = job.steps + work.active[s]
        following = job.steps + work.active[s + 1] if s + 1 < count else NULL
        s += 1
        if step.op == BYTES:
            add_string(work, job, step)
        elif step.op != NUMBER:
            if following == NULL or not go_together(job, step, following):
                following = NULL
            add_window(work, job, step, following)
            s += following != NULL
        else:
            if following == NULL or not are_neighbours(job, step, following):
                following = NULL
            add_number(work, job, step, following)
            s += following != NULL


cdef uint8_t* table(Work* work, const Job* job, uint64_t width) noexcept nogil:
    """Room for so many bytes for each shape."""
    cdef uint8_t* found = work.tables + work.tables_used
    work.tables_used += (width * job.shapes_count + ALIGNED - 1) // ALIGNED * ALIGNED
    return found


cdef void add_string(Work* work, const Job* job, const BuildStep* step) noexcept nogil:
    """A string: while messages are laid, if it is short and nothing before it could be in its way."""
    cdef Insert insert
    cdef int32_t* places = <int32_t*> table(work, job, sizeof(int32_t))
    cdef int32_t* sizes = <int32_t*> table(work, job, sizeof(int32_t))
    cdef const String* string = job.strings + step.source
    cdef int32_t end, j
    cdef uint32_t k
    cdef bint early = work.moves_count == 0
    insert.places, insert.sizes, insert.starts = places, sizes, string.starts
    insert.text, insert.size = string.text, string.size
    insert.lines = string.size - LINE + 1 if string.size >= LINE else 0
    for k in range(job.shapes_count):
        end = 0  # of strings before it, whose line may be written over behind them
        for j in range(work.stock.inserts_count):
            end = max(end, work.inserts[j].places[k] + work.inserts[j].sizes[k])
        places[k] = place_of(job, step, k)
        if places[k] < 0:
            places[k] = end
        else:
            places[k] += step.distance
            sizes[k] = size_of(job, step, k)
        early = early and sizes[k] <= LINE and places[k] >= end
    if early:
        work.inserts[work.stock.inserts_count] = insert
        work.stock.inserts_count += 1
    else:
        work.moves[work.moves_count].kind, work.moves[work.moves_count].insert = TEXT, insert
        work.moves_count += 1


cdef bint go_together(const Job* job, const BuildStep* step, const BuildStep* following) noexcept nogil:
    """Whether two steps write addresses of one column, of which every message has one at most."""
    cdef uint32_t k
    if following.op == BYTES or following.op == NUMBER or following.source != step.source:
        return False
    for k in range(job.shapes_count):
        if place_of(job, step, k) >= 0 and place_of(job, following, k) >= 0:
            return False
    return True


cdef void add_window(Work* work, const Job* job, const BuildStep* step, const BuildStep* other) noexcept nogil:
    """Addresses, of which IPv4's are the end of the 16 bytes; `other` is NULL or for the other version."""
    cdef Move* move = work.moves + work.moves_count
    cdef int32_t* places = <int32_t*> table(work, job, sizeof(int32_t))
    cdef uint8_t* masks = table(work, job, ADDRESS)
    cdef const BuildStep* found
    cdef int32_t skipped
    cdef uint32_t k
    for k in range(job.shapes_count):
        found = step if other == NULL or place_of(job, step, k) >= 0 else other
        if place_of(job, found, k) >= 0:
            skipped = ADDRESS - found.width
            places[k] = place_of(job, found, k) + found.distance - skipped
            memset(masks + ADDRESS * k + skipped, 0xFF, found.width)
    move.kind, move.places, move.masks, move.column = WINDOW, places, masks, job.columns[step.source]
    work.moves_count += 1


cdef bint are_neighbours(const Job* job, const BuildStep* step, const BuildStep* following) noexcept nogil:
    """Whether two steps write numbers of 8 bytes as they are, one behind the other, at one place in all shapes."""
    if following.op != NUMBER or step.width != 8 or following.width != 8 or step.swap or following.swap:
        return False
    if step.part != following.part or following.distance != step.distance + step.width:
        return False
    return common_place(job, step) >= 0


cdef int32_t common_place(const Job* job, const BuildStep* step) noexcept nogil:
    """Where the part of a step is in all shapes; -1 if that differs."""
    cdef uint32_t k
    for k in range(1, job.shapes_count):
        if place_of(job, step, k) != place_of(job, step, 0):
            return -1
    return place_of(job, step, 0)


cdef void add_number(Work* work, const Job* job, const BuildStep* step, const BuildStep* following) noexcept nogil:
    """A number, or two neighbours if `following` is not NULL."""
    cdef Move* move = work.moves + work.moves_count
    cdef int32_t place = common_place(job, step)
    cdef Target* targets
    cdef uint32_t k
    move.kind, move.width, move.swap, move.column = ONE, step.width, step.swap, job.columns[step.source]
    if following != NULL:
        move.kind, move.second = PAIR, job.columns[following.source]
    if place >= 0:
        move.place = place + step.distance
    else:
        targets = <Target*> table(work, job, sizeof(Target))
        for k in range(job.shapes_count):
            place = place_of(job, step, k)
            targets[k].keep = <uint64_t> -1 if place >= 0 else 0
            targets[k].add = place + step.distance if place >= 0 else <uint64_t> <size_t> &work.nowhere
        move.targets = targets
    work.moves_count += 1
