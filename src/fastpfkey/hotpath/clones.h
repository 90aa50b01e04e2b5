/* Functions that are compiled for wider vectors too; which of them fits the processor is found when a module is loaded. */
#ifndef FASTPFKEY_CLONES_H
#define FASTPFKEY_CLONES_H

#if defined(__GNUC__) && defined(__x86_64__)
#define PFKEY_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define PFKEY_CLONES
#endif

#endif
