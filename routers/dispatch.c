#include "dispatch.h"
#include "src/numeric/elementary.h"

double anb_switch_loss(const double *dispatches, const double *p, size_t k)
{
    double sum = 0, product = 0;
    for (size_t i = 0; i < k; i++) {
        sum += dispatches[i];
        product += dispatches[i] * p[i];
    }
    return sum > 0 ? (double)k * product / sum : 0;
}

static double log_sum_exp(const double *z, size_t k)
{
    double most = z[0], sum = 0;
    for (size_t i = 1; i < k; i++)
        most = z[i] > most ? z[i] : most;
    for (size_t i = 0; i < k; i++)
        sum += anb_exp(z[i] - most);
    return most + anb_log(sum);
}

void anb_auxiliary_slope(const double *z, const double *p, const double *dispatches, size_t k, double balance,
                         double square, double *slope)
{
    double sum = 0, loss = anb_switch_loss(dispatches, p, k), pull = square > 0 ? 2 * square * log_sum_exp(z, k) : 0;
    for (size_t i = 0; i < k; i++)
        sum += dispatches[i];
    double part = sum > 0 ? (double)k / sum : 0;
    for (size_t i = 0; i < k; i++)
        slope[i] += p[i] * (balance * (part * dispatches[i] - loss) + pull);
}

void anb_jitter(AnbRandom *random, double jitter, size_t k, double *factor)
{
    for (size_t i = 0; i < k; i++)
        factor[i] = 1 + jitter * anb_random_normal(random);
}

void anb_noise(AnbRandom *random, double noise, size_t k, double *term)
{
    for (size_t i = 0; i < k; i++)
        term[i] = noise * anb_random_normal(random);
}

size_t anb_capacity(double factor, size_t top_k, size_t samples, size_t k)
{
    double wanted = factor * (double)top_k * (double)samples / (double)k;
    return wanted < (double)samples ? (size_t)ceil(wanted) : samples;
}

size_t anb_dispatch(const double *q, size_t k, double *room, unsigned *active, size_t n)
{
    size_t held = 0;
    for (size_t i = 0; i < k; i++) {
        if (room[i] < 1 || (held == n && !(q[i] > q[active[n - 1]])))
            continue;
        size_t at = held < n ? held++ : n - 1;
        for (; at > 0 && q[i] > q[active[at - 1]]; at--)
            active[at] = active[at - 1];
        active[at] = (unsigned)i;
    }
    for (size_t a = 0; a < held; a++)
        room[active[a]]--;
    return held;
}
