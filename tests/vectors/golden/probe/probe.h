/* What the generated probe needs beside the system's own structures: sockaddrs, raw bytes, and one line a message. */
#include <arpa/inet.h>
#include <linux/ipsec.h>
#include <linux/pfkeyv2.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_address(int family, const char *text, void *target)
{
    if (inet_pton(family, text, target) != 1)
        exit(2);
}

static void put_ipv4(void *at, uint16_t port, const char *text)
{
    struct sockaddr_in end = {.sin_family = AF_INET, .sin_port = htons(port)};

    put_address(AF_INET, text, &end.sin_addr);
    memcpy(at, &end, sizeof(end));
}

static void put_ipv6(void *at, uint16_t port, const char *text, uint32_t flowinfo, uint32_t scope_id)
{
    struct sockaddr_in6 end = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    end.sin6_flowinfo = htonl(flowinfo);
    end.sin6_scope_id = scope_id;
    put_address(AF_INET6, text, &end.sin6_addr);
    memcpy(at, &end, sizeof(end));
}

static void print_message(const unsigned char *message, size_t size)
{
    for (size_t i = 0; i < size; i++)
        printf("%02x", message[i]);
    putchar('\n');
}
