/* A PF_KEY client as people write them: <linux/pfkeyv2.h> and system calls, nothing else. It knows of no engine.
 * Prints a line for each thing that it tried, "ok NAME" or "failed NAME: WHY", and ends with 0 if all were well. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pfkeyv2.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;

static void check(const char *name, int good, const char *why)
{
    if (good)
        printf("ok %s\n", name);
    else
        printf("failed %s: %s (errno %d, %s)\n", name, why, errno, strerror(errno)), failures++;
}

struct request {
    struct sadb_msg base;
    struct sadb_sa sa;
    struct sadb_address src_header;
    struct sockaddr_in src;
    struct sadb_address dst_header;
    struct sockaddr_in dst;
    struct sadb_key auth_header;
    uint8_t auth[16];
};

static struct sadb_msg header(int type, int satype, size_t size, int seq)
{
    struct sadb_msg found = {.sadb_msg_version = PF_KEY_V2,
                             .sadb_msg_type = (uint8_t)type,
                             .sadb_msg_satype = (uint8_t)satype,
                             .sadb_msg_len = (uint16_t)(size / 8),
                             .sadb_msg_seq = (uint32_t)seq,
                             .sadb_msg_pid = (uint32_t)getpid()};
    return found;
}

static void address(struct sadb_address *head, struct sockaddr_in *where, int type, const char *text)
{
    head->sadb_address_len = (sizeof *head + sizeof *where) / 8;
    head->sadb_address_exttype = (uint16_t)type;
    head->sadb_address_prefixlen = 32;
    where->sin_family = AF_INET;
    inet_pton(AF_INET, text, &where->sin_addr);
}

/* An AH association with HMAC-MD5. */
static struct request add(int seq, uint32_t spi)
{
    struct request found;
    memset(&found, 0, sizeof found);
    found.base = header(SADB_ADD, SADB_SATYPE_AH, sizeof found, seq);
    found.sa.sadb_sa_len = sizeof found.sa / 8;
    found.sa.sadb_sa_exttype = SADB_EXT_SA;
    found.sa.sadb_sa_spi = htonl(spi);
    found.sa.sadb_sa_state = SADB_SASTATE_MATURE;
    found.sa.sadb_sa_auth = SADB_AALG_MD5HMAC;
    address(&found.src_header, &found.src, SADB_EXT_ADDRESS_SRC, "192.0.2.1");
    address(&found.dst_header, &found.dst, SADB_EXT_ADDRESS_DST, "192.0.2.2");
    found.auth_header.sadb_key_len = (sizeof found.auth_header + sizeof found.auth) / 8;
    found.auth_header.sadb_key_exttype = SADB_EXT_KEY_AUTH;
    found.auth_header.sadb_key_bits = 8 * sizeof found.auth;
    memset(found.auth, 0x5a, sizeof found.auth);
    return found;
}

static int readable(int fd)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    return poll(&wanted, 1, 5000) == 1 && wanted.revents & POLLIN;
}

/* The next message of a type, waited for with poll; others are passed over. */
static ssize_t await_type(int fd, int type, void *buffer, size_t size)
{
    while (readable(fd)) {
        ssize_t got = recv(fd, buffer, size, 0);
        if (got < (ssize_t)sizeof(struct sadb_msg) || ((struct sadb_msg *)buffer)->sadb_msg_type == type)
            return got;
    }
    return -1;
}

static void opening(void)
{
    errno = 0;
    check("a protocol that there is not", socket(AF_KEY, SOCK_RAW, 3) < 0 && errno == EPROTONOSUPPORT, "opened");
    errno = 0;
    check("a type that there is not", socket(AF_KEY, SOCK_STREAM, PF_KEY_V2) < 0 && errno == ESOCKTNOSUPPORT, "opened");
    int fd = socket(AF_KEY, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, PF_KEY_V2);
    check("flags", fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_GETFL) & O_NONBLOCK, "lost");
    int family = 0, kind = 0, protocol = 0;
    socklen_t size = sizeof family;
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
    getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &size);
    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size);
    check("what it says it is", family == AF_KEY && kind == SOCK_RAW && protocol == PF_KEY_V2, "something else");
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    errno = 0;
    check("no address", getsockname(fd, (struct sockaddr *)&name, &length) < 0 && errno == EOPNOTSUPP, "it has one");
    errno = 0;
    check("nothing to connect to", connect(fd, (struct sockaddr *)&name, length) < 0 && errno == EOPNOTSUPP, "done");
    int pair[2];
    errno = 0;
    check("nothing to listen for", listen(fd, 1) < 0 && errno == EOPNOTSUPP, "it listens");
    errno = 0;
    check("nothing to shut", shutdown(fd, SHUT_RDWR) < 0 && errno == EOPNOTSUPP, "done");
    errno = 0;
    check("no pairs", socketpair(AF_KEY, SOCK_RAW, PF_KEY_V2, pair) < 0 && errno == EOPNOTSUPP, "made");
    struct mmsghdr none;
    check("nothing sent at all", sendmmsg(fd, &none, 0, 0) == 0, "an error");
    int wanted = 1 << 17, found = 0;
    size = sizeof found;
    int set = setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &found, &size);
    check("SO_RCVBUF", set == 0 && found >= wanted, "not set");
    check("SO_RCVBUFFORCE", setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) == 0, "refused");
    uint8_t byte;
    errno = 0;
    check("nothing to read yet", recv(fd, &byte, 1, 0) < 0 && errno == EAGAIN, "there was something");
    close(fd);
}

static void refusals(int fd)
{
    struct sadb_msg message = header(SADB_DUMP, SADB_SATYPE_AH, sizeof message, 1);
    errno = 0;
    check("half a header", send(fd, &message, 8, 0) < 0 && errno == EMSGSIZE, "sent");
    message.sadb_msg_len = 3;
    errno = 0;
    check("a length that is wrong", write(fd, &message, sizeof message) < 0 && errno == EMSGSIZE, "sent");
    message = header(SADB_DUMP, SADB_SATYPE_AH, sizeof message, 1);
    message.sadb_msg_version = 1;
    errno = 0;
    check("a version that is wrong", send(fd, &message, sizeof message, 0) < 0 && errno == EINVAL, "sent");
    message = header(SADB_MAX + 1, SADB_SATYPE_AH, sizeof message, 1);
    struct iovec part = {.iov_base = &message, .iov_len = sizeof message};
    errno = 0;
    check("a type that there is not", writev(fd, &part, 1) < 0 && errno == EINVAL, "sent");
    errno = 0;
    message = header(SADB_DUMP, SADB_SATYPE_AH, sizeof message, 1);
    check("out of band", send(fd, &message, sizeof message, MSG_OOB) < 0 && errno == EOPNOTSUPP, "sent");
}

static void requests(int fd, int other)
{
    uint8_t buffer[4096];
    struct sadb_msg *base = (struct sadb_msg *)buffer;
    struct request wanted = add(7, 0x1001);
    struct iovec parts[2] = {{&wanted, 10}, {(uint8_t *)&wanted + 10, sizeof wanted - 10}};
    check("ADD in two parts", writev(fd, parts, 2) == sizeof wanted, "not sent");

    fd_set set;
    struct timeval patience = {.tv_sec = 5};
    FD_ZERO(&set);
    FD_SET(fd, &set);
    check("select", select(fd + 1, &set, NULL, NULL, &patience) == 1 && FD_ISSET(fd, &set), "nothing came");
    ssize_t peeked = recv(fd, buffer, sizeof buffer, MSG_PEEK);
    ssize_t whole = recv(fd, buffer, 16, MSG_PEEK | MSG_TRUNC);
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    volatile size_t room = sizeof buffer; /* unknown when compiled, so that a hardened library checks it when run */
    ssize_t got = recvfrom(fd, buffer, room, 0, (struct sockaddr *)&from, &length);
    check("MSG_PEEK leaves it", peeked == got && whole == got && got == base->sadb_msg_len * 8, "it did not");
    check("it comes from nowhere", length == 0, "it has a sender");
    check("the answer to ADD", base->sadb_msg_type == SADB_ADD && base->sadb_msg_errno == 0 && base->sadb_msg_seq == 7 &&
                                   base->sadb_msg_pid == (uint32_t)getpid(), "it is another");

    got = await_type(other, SADB_ADD, buffer, sizeof buffer);
    check("others hear of it", got > 0 && base->sadb_msg_seq == 7, "they do not");
    check("without the key", got > 0 && !memmem(buffer, (size_t)got, wanted.auth, sizeof wanted.auth), "with it");

    check("the same again", send(fd, &wanted, sizeof wanted, 0) == sizeof wanted, "not sent");
    got = await_type(fd, SADB_ADD, buffer, sizeof buffer);
    check("is an error", got == 16 && base->sadb_msg_errno == EEXIST, "it is not");

    struct sadb_msg dump = header(SADB_DUMP, SADB_SATYPE_UNSPEC, sizeof dump, 8);
    struct mmsghdr many = {.msg_hdr = {.msg_iov = &(struct iovec){&dump, sizeof dump}, .msg_iovlen = 1}};
    check("DUMP", sendmmsg(fd, &many, 1, 0) == 1, "not sent");
    got = await_type(fd, SADB_DUMP, buffer, sizeof buffer);
    check("the table", got > 16 && base->sadb_msg_seq == 0 && memmem(buffer, (size_t)got, wanted.auth, 16), "not there");
}

static void events(int fd, int other)
{
    uint8_t buffer[4096];
    struct sadb_msg *base = (struct sadb_msg *)buffer;
    struct sadb_msg wanted = header(SADB_REGISTER, SADB_SATYPE_AH, sizeof wanted, 9);
    check("REGISTER", send(fd, &wanted, sizeof wanted, 0) == sizeof wanted, "not sent");
    ssize_t got = await_type(fd, SADB_REGISTER, buffer, sizeof buffer);
    check("the algorithms", got > 16 && base->sadb_msg_errno == 0, "none came");
    struct sadb_msg flush = header(SADB_FLUSH, SADB_SATYPE_AH, sizeof flush, 10);
    check("FLUSH by another", send(other, &flush, sizeof flush, 0) == sizeof flush, "not sent");
    got = await_type(fd, SADB_FLUSH, buffer, sizeof buffer);
    check("is an event", got == 16 && base->sadb_msg_errno == 0, "it is not");
}

static void children(int fd)
{
    uint8_t buffer[4096];
    struct sadb_msg *base = (struct sadb_msg *)buffer;
    int copy = dup(fd);
    pid_t child = fork();
    if (child == 0) {
        struct sadb_msg wrong = header(SADB_DUMP, 0, 8, 11);
        _exit(send(copy, &wrong, sizeof wrong, 0) < 0 && errno == EMSGSIZE ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    check("a copy in a child", WIFEXITED(status) && WEXITSTATUS(status) == 0, "it is not redirected");
    struct sadb_msg dump = header(SADB_DUMP, SADB_SATYPE_UNSPEC, sizeof dump, 12);
    check("DUMP through a copy", write(copy, &dump, sizeof dump) == sizeof dump, "not sent");
    ssize_t got = await_type(copy, SADB_DUMP, buffer, sizeof buffer);
    check("of an empty table", got == 16 && base->sadb_msg_errno == ENOENT, "it is not empty");
    close(copy);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    opening();
    int fd = socket(AF_KEY, SOCK_RAW, PF_KEY_V2);
    int other = socket(AF_KEY, SOCK_RAW, PF_KEY_V2);
    check("two sockets", fd >= 0 && other >= 0, "not opened");
    if (fd < 0 || other < 0)
        return 1;
    refusals(fd);
    requests(fd, other);
    events(fd, other);
    children(fd);
    return failures != 0;
}
