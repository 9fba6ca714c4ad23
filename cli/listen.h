/* Where a service listens: an address of IPv4 or IPv6, a Unix socket, which is a file, or a socket that
 * systemd passes. */
#ifndef ANB_CLI_LISTEN_H
#define ANB_CLI_LISTEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { SOCKET_PATH = sizeof(((struct sockaddr_un *)0)->sun_path) };

typedef struct Listening {
    const char *path;    /* of the file; NULL: at an address */
    const char *address; /* an IP */
    uint64_t port, mode; /* mode: of the file; 0: as the umask says */
    unsigned passed;     /* sockets that systemd passes, in the place of the others */
    int descriptor;
    struct stat file;            /* as it was made */
    char name[SOCKET_PATH + 80]; /* for people, with the port that was free */
} Listening;

/* How many sockets systemd passes to this process. */
unsigned listening_passed(void);
/* 0, or BAD_USE or BAD_DATA with the complaint made: checks what was asked for; listens there. */
int listening_check(const Listening *listening);
int listening_start(Listening *listening);
/* Removes the file, unless another has taken its place; to be called while it listens. */
void listening_end(const Listening *listening);

#endif
