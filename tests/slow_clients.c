/* usage: slow_clients PORT UPLOADS READERS PATH   Opens UPLOADS connections that send a head and a part
 * of their body and then nothing, and READERS that ask for PATH and read nothing; says "open" and stays
 * until it is killed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int say(int port, const char *text)
{
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int few = 4096, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &few, sizeof(few));
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0 ||
        write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        return -1;
    return fd;
}

int main(int argc, char **argv)
{
    char ask[512];
    if (argc != 5)
        return fprintf(stderr, "usage: slow_clients PORT UPLOADS READERS PATH\n"), 2;
    const int port = (int)strtol(argv[1], NULL, 10);
    for (long i = strtol(argv[2], NULL, 10); i > 0; i--)
        if (say(port, "POST /classify HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
                      "Content-Length: 100000\r\n\r\n\xff\xd8\xff") < 0)
            return perror("slow_clients"), 1;
    snprintf(ask, sizeof(ask), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", argv[4]);
    for (long i = strtol(argv[3], NULL, 10); i > 0; i--)
        if (say(port, ask) < 0)
            return perror("slow_clients"), 1;
    puts("open");
    fflush(stdout);
    pause();
    return 0;
}
