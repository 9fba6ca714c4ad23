/* The order of numbers in benchmarks and tests. */
#ifndef ANB_BENCH_RISING_H
#define ANB_BENCH_RISING_H

/* Compares two doubles, for qsort. */
static inline int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

#endif
