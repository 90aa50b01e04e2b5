/* Zeros that are really written, even just before memory is freed. */
#ifndef FASTPFKEY_WIPE_H
#define FASTPFKEY_WIPE_H

#include <string.h>

#if defined(_MSC_VER)
#include <windows.h>
#define PFKEY_WIPE(at, size) SecureZeroMemory(at, size)
#else
/* The barrier makes the zeros something that has to be in memory. */
#define PFKEY_WIPE(at, size) \
    do { \
        memset(at, 0, size); \
        __asm__ __volatile__("" : : "r"(at) : "memory"); \
    } while (0)
#endif

#endif
