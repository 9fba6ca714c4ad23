/* How many forks lie between this process and the one that called anb_forks_watch first. */
#ifndef ANB_HOST_FORKS_H
#define ANB_HOST_FORKS_H

/* Counts from now on. 0, or -1 where memory is out. */
int anb_forks_watch(void);
/* One more in each child than in its parent. */
unsigned anb_forks(void);

#endif
