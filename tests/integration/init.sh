#!/bin/sh
# The first process of the virtual machine: sets up what the tests need and nothing else, runs them, powers off. OUT, MODULES,
# PYTHON and TREE are paths of the host and arrive through the kernel's command line; the tests to run are in OUT/tests.
# The host's files are seen read-only, apart from OUT.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /run
mkdir /run/out /run/tmp
mount -t hostfs none /run/out -o "$OUT"
# What the kernel could load by itself is loaded now: to look for a module that there is not takes it seconds each time.
for module in af_key xfrm_user ah4 ah6 esp4 esp6 ipcomp ipcomp6 dummy veth hmac cbc ctr gcm ghash_generic \
    authenc xcbc echainiv seqiv crypto_null drbg jitterentropy_rng ansi_cprng deflate des_generic \
    sha512_generic rmd160 cast5_generic blowfish_generic twofish_generic serpent_generic camellia_generic; do
    modprobe -q -d "$MODULES" "$module"
done
echo >/proc/sys/kernel/modprobe
ip link set lo up
cd "$TREE" || exit 1
HOME=/run/tmp TMPDIR=/run/tmp PYTHONDONTWRITEBYTECODE=1 FASTPFKEY_INSIDE=/run/out \
    "$PYTHON" -m pytest -p no:cacheprovider --basetemp=/run/tmp/pytest @/run/out/tests
sync
echo o >/proc/sysrq-trigger
sleep 60
