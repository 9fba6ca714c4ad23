/* Selection, for near.h. */
#include "near.h"

static void swap(float *a, float *b)
{
    float t = *a;
    *a = *b;
    *b = t;
}

/* Hoare's selection; the middle as pivot. Each round leaves out one value at least. */
float anb_near_bound(float *value, size_t n, size_t k)
{
    size_t low = 0, high = n - 1, at = k - 1;
    while (low < high) {
        float pivot = value[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (value[i] < pivot)
                i++;
            while (value[j] > pivot)
                j--;
            if (i >= j)
                break;
            swap(&value[i++], &value[j--]);
        }
        /* low..j hold at most the pivot, j+1..high at least it, and j < high. */
        if (at <= j)
            high = j;
        else
            low = j + 1;
    }
    return value[at];
}
