/* Turns the PF_KEY sockets of an unmodified Linux program into connections to a key engine in user space.
 *
 * The idea: a PF_KEY socket and a connected SOCK_SEQPACKET Unix socket behave alike in all that poll, select, recv,
 * MSG_PEEK, non-blocking mode, dup, fork and the passing of descriptors do, so only what differs is intercepted:
 * opening, what send() refuses at once, and what a socket says about itself. Nothing is remembered about descriptors. A
 * socket is ours if the address of its peer is the engine's, which stays true whatever the program does with it. That
 * address is what the engine called its socket, which may be another spelling of the path, so it is learnt on connecting.
 *
 * FASTPFKEY_ENGINE is the path of the engine's socket. Without it nothing changes.
 */
#define _GNU_SOURCE
#ifdef __linux__
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pfkeyv2.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define HEADER_SIZE 16
#define PATIENCE 200 /* milliseconds */

static struct sockaddr_un engine = {.sun_family = AF_UNIX};
static struct sockaddr_un spelling;
static atomic_int spelt; /* 0: spelling is empty, 1: it is being written, 2: it may be read */

/* The C library's own function of this name. */
#define NEXT(name) ((__typeof__(&name))next(#name))

static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

/* Before main, because a program may clean its environment. */
__attribute__((constructor)) static void remember(void)
{
    const char *path = getenv("FASTPFKEY_ENGINE");
    if (path && strlen(path) < sizeof engine.sun_path)
        strcpy(engine.sun_path, path);
}

/* The address at the other end of a Unix socket; one without a path if there is none. Leaves errno alone. */
static struct sockaddr_un peer_of(int fd)
{
    struct sockaddr_un peer;
    socklen_t size = sizeof peer;
    int before = errno;
    memset(&peer, 0, sizeof peer);
    if (NEXT(getpeername)(fd, (struct sockaddr *)&peer, &size) != 0 || peer.sun_family != AF_UNIX)
        peer.sun_path[0] = 0;
    errno = before;
    return peer;
}

static int same(const struct sockaddr_un *one, const struct sockaddr_un *other)
{
    return strncmp(one->sun_path, other->sun_path, sizeof one->sun_path) == 0;
}

/* Whether a descriptor is a connection to the engine. Leaves errno alone. */
static int is_ours(int fd)
{
    if (!engine.sun_path[0])
        return 0;
    struct sockaddr_un peer = peer_of(fd);
    return peer.sun_path[0] && (same(&peer, &engine) || (atomic_load(&spelt) == 2 && same(&peer, &spelling)));
}

/* Learn what the engine at the other end calls its socket. */
static void learn(int fd)
{
    struct sockaddr_un peer = peer_of(fd);
    int never = 0;
    if (peer.sun_path[0] && !same(&peer, &engine) && atomic_compare_exchange_strong(&spelt, &never, 1)) {
        spelling = peer;
        atomic_store(&spelt, 2);
    }
}

static int refuse(int error)
{
    errno = error;
    return -1;
}

/* What Linux refuses in send() itself, having looked at nothing but the size and the base header: 0 or an errno. */
static int judge(const uint8_t *header, size_t size)
{
    uint16_t words, reserved;
    if (size < HEADER_SIZE)
        return EMSGSIZE;
    memcpy(&words, header + offsetof(struct sadb_msg, sadb_msg_len), sizeof words);
    memcpy(&reserved, header + offsetof(struct sadb_msg, sadb_msg_reserved), sizeof reserved);
    uint8_t type = header[offsetof(struct sadb_msg, sadb_msg_type)];
    if (header[offsetof(struct sadb_msg, sadb_msg_version)] != PF_KEY_V2 || reserved || type == SADB_RESERVED ||
        type > SADB_MAX)
        return EINVAL;
    return words < HEADER_SIZE / 8 || words != size / 8 ? EMSGSIZE : 0;
}

static int judge_vector(const struct iovec *parts, size_t count)
{
    uint8_t header[HEADER_SIZE];
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < parts[i].iov_len && size + k < HEADER_SIZE; k++)
            header[size + k] = ((const uint8_t *)parts[i].iov_base)[k];
        size += parts[i].iov_len;
    }
    return judge(header, size);
}

/* A kernel has acted when send() returns, and some programs give an answer no more than a millisecond to come. So send()
 * waits for something to be there; what is never answered costs that long. */
static ssize_t settled(int fd, ssize_t sent)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    int before = errno;
    if (sent >= 0)
        NEXT(poll)(&wanted, 1, PATIENCE);
    errno = before;
    return sent;
}

/* A connection to the engine in place of a PF_KEY socket. */
static int open_engine(int type, int protocol)
{
    int flags = type & (SOCK_NONBLOCK | SOCK_CLOEXEC);
    if ((type & ~flags) != SOCK_RAW)
        return refuse(ESOCKTNOSUPPORT);
    if (protocol != PF_KEY_V2)
        return refuse(EPROTONOSUPPORT);
    /* Connecting waits for the engine, so the socket becomes non-blocking only afterwards. */
    int fd = NEXT(socket)(AF_UNIX, SOCK_SEQPACKET | (flags & SOCK_CLOEXEC), 0);
    if (fd < 0)
        return fd;
    if (NEXT(connect)(fd, (const struct sockaddr *)&engine, sizeof engine) != 0) {
        int error = errno;
        dprintf(STDERR_FILENO, "fastpfkey: no engine at %s: %s\n", engine.sun_path, strerror(error));
        close(fd);
        return refuse(error == EACCES ? EPERM : EAFNOSUPPORT);
    }
    learn(fd);
    if (flags & SOCK_NONBLOCK)
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

int socket(int domain, int type, int protocol)
{
    if (domain == AF_KEY && engine.sun_path[0])
        return open_engine(type, protocol);
    return NEXT(socket)(domain, type, protocol);
}

int socketpair(int domain, int type, int protocol, int pair[2])
{
    return domain == AF_KEY && engine.sun_path[0] ? refuse(EOPNOTSUPP) : NEXT(socketpair)(domain, type, protocol, pair);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    return sendto(fd, data, size, flags, NULL, 0);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t length)
{
    if (!is_ours(fd))
        return NEXT(sendto)(fd, data, size, flags, to, length);
    int error = flags & MSG_OOB ? EOPNOTSUPP : judge(data, size);
    return error ? refuse(error) : settled(fd, NEXT(sendto)(fd, data, size, flags, NULL, 0));
}

static ssize_t send_vector(int fd, const struct msghdr *message, int flags)
{
    int error = flags & MSG_OOB ? EOPNOTSUPP : judge_vector(message->msg_iov, message->msg_iovlen);
    struct msghdr bare = {.msg_iov = message->msg_iov, .msg_iovlen = message->msg_iovlen};
    return error ? refuse(error) : NEXT(sendmsg)(fd, &bare, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return is_ours(fd) ? settled(fd, send_vector(fd, message, flags)) : NEXT(sendmsg)(fd, message, flags);
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
    if (!is_ours(fd))
        return NEXT(sendmmsg)(fd, messages, count, flags);
    unsigned int done = 0;
    for (ssize_t sent; done < count && (sent = send_vector(fd, &messages[done].msg_hdr, flags)) >= 0; done++)
        messages[done].msg_len = (unsigned int)sent;
    return done ? (int)settled(fd, (ssize_t)done) : count ? -1 : 0;
}

ssize_t write(int fd, const void *data, size_t size)
{
    return is_ours(fd) ? sendto(fd, data, size, 0, NULL, 0) : NEXT(write)(fd, data, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (count <= 0 || !is_ours(fd))
        return NEXT(writev)(fd, parts, count);
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
    return sendmsg(fd, &message, 0);
}

/* PF_KEY messages come from nowhere, so a name that receives is asked for is empty. */
ssize_t recvfrom(int fd, void *data, size_t size, int flags, struct sockaddr *from, socklen_t *length)
{
    if (!length || !is_ours(fd))
        return NEXT(recvfrom)(fd, data, size, flags, from, length);
    *length = 0;
    return NEXT(recvfrom)(fd, data, size, flags, NULL, NULL);
}

/* What recvfrom is in programs that were built with _FORTIFY_SOURCE. */
ssize_t __recvfrom_chk(int fd, void *data, size_t size, size_t room, int flags, struct sockaddr *from, socklen_t *length);
ssize_t __recvfrom_chk(int fd, void *data, size_t size, size_t room, int flags, struct sockaddr *from, socklen_t *length)
{
    if (!length || !is_ours(fd))
        return NEXT(__recvfrom_chk)(fd, data, size, room, flags, from, length);
    *length = 0;
    return NEXT(__recvfrom_chk)(fd, data, size, room, flags, NULL, NULL);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    if (message->msg_namelen && is_ours(fd))
        message->msg_namelen = 0;
    return NEXT(recvmsg)(fd, message, flags);
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout)
{
    if (is_ours(fd))
        for (unsigned int i = 0; i < count; i++)
            messages[i].msg_hdr.msg_namelen = 0;
    return NEXT(recvmmsg)(fd, messages, count, flags, timeout);
}

/* AF_KEY has neither addresses nor connections. */
int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    return is_ours(fd) ? refuse(EOPNOTSUPP) : NEXT(bind)(fd, address, length);
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return is_ours(fd) ? refuse(EOPNOTSUPP) : NEXT(connect)(fd, address, length);
}

int listen(int fd, int backlog)
{
    return is_ours(fd) ? refuse(EOPNOTSUPP) : NEXT(listen)(fd, backlog);
}

int accept(int fd, struct sockaddr *address, socklen_t *length)
{
    return is_ours(fd) ? refuse(EOPNOTSUPP) : NEXT(accept)(fd, address, length);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    return is_ours(fd) ? refuse(EOPNOTSUPP) : NEXT(accept4)(fd, address, length, flags);
}

int shutdown(int fd, int how)
{
    return is_ours(fd) ? refuse(EOPNOTSUPP) : NEXT(shutdown)(fd, how);
}

int getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
    return is_ours(fd) ? refuse(EOPNOTSUPP) : NEXT(getsockname)(fd, address, length);
}

int getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
    return is_ours(fd) ? refuse(EOPNOTSUPP) : NEXT(getpeername)(fd, address, length);
}

/* What a socket says about itself: that it is one of PF_KEY. */
int getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
    int known = level == SOL_SOCKET && (option == SO_DOMAIN || option == SO_TYPE || option == SO_PROTOCOL);
    if (!known || !is_ours(fd))
        return NEXT(getsockopt)(fd, level, option, value, length);
    int answer = option == SO_DOMAIN ? AF_KEY : option == SO_TYPE ? SOCK_RAW : PF_KEY_V2;
    if (*length > sizeof answer)
        *length = sizeof answer;
    memcpy(value, &answer, *length);
    return 0;
}

/* Forcing buffers needs a privilege over the network that whoever may speak to an engine need not have. A policy of one
 * socket, by which key managers keep their own packets out of tunnels, has nothing to do where the kernel has no tunnels,
 * and many a kernel that has no PF_KEY refuses it. */
int setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    if (engine.sun_path[0] && ((level == IPPROTO_IP && option == IP_IPSEC_POLICY) ||
                               (level == IPPROTO_IPV6 && option == IPV6_IPSEC_POLICY)))
        return 0;
    if (level == SOL_SOCKET && (option == SO_RCVBUFFORCE || option == SO_SNDBUFFORCE) && is_ours(fd))
        option = option == SO_RCVBUFFORCE ? SO_RCVBUF : SO_SNDBUF;
    return NEXT(setsockopt)(fd, level, option, value, length);
}
#else
/* Elsewhere there is nothing to preload. */
const int fastpfkey_preload_is_for_linux = 1;
#endif
