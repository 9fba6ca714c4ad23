/* How many forks lie between this process and the one that called anb_forks_watch first; files that a child does not
 * inherit. */
#ifndef ANB_HOST_FORKS_H
#define ANB_HOST_FORKS_H

#include <sys/types.h>

/* Counts from now on. 0, or -1 where memory is out. */
int anb_forks_watch(void);
/* One more in each child than in its parent. */
unsigned anb_forks(void);

/* As open and close, of a file that children close when they are forked: the lock of a file lasts as long as a process
 * has it open. */
int anb_forks_open(const char *path, int flags, mode_t mode);
void anb_forks_close(int fd);

#endif
