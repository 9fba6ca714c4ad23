/* The arithmetic of rls_single.h in doubles, compiled once per instruction set. */
#include "src/simd/lanes_up.h"
#include "rls_single.h"

/* Sums and inverses stay in registers, since a load from several recent stores waits for all of them. A panel waits for
 * the one before it by one addition only, that of chain.a. */
AnbRlsChain ANB_PER_ISA(anb_rls_single_scalars)(double *d, double *part, AnbRlsSinglePanel *p, AnbRlsChain chain,
                                                double scale)
{
    const Lanes f = lanes_load_floats(p->f, LANES), old = lanes_load(d), sent = lanes_mul(old, f);
    const Lanes behind = lanes_add(lanes_all(chain.a), lanes_sums_up(lanes_mul(f, sent)));
    const Lanes before = lanes_up(behind, 1, chain.a), inverse = lanes_div(lanes_all(1), behind);
    const Lanes kept = lanes_mul(lanes_mul(before, inverse), lanes_all(scale));
    lanes_store_floats(p->v, sent, LANES);
    lanes_store_floats(p->pace, lanes_mul(f, lanes_up(inverse, 1, chain.inverse)), LANES);
    lanes_store(d, lanes_mul(old, kept));
    lanes_store(part, lanes_mul(lanes_load(part), kept));
    return (AnbRlsChain){lanes_last(behind), lanes_last(inverse)};
}

double ANB_PER_ISA(anb_rls_single_move)(double *w, const float *b, size_t padded, double pace)
{
    const Lanes by = lanes_all(pace);
    Lanes written = lanes_zero();
    for (size_t j = 0; j < padded; j += LANES) {
        Lanes v = lanes_add(lanes_load(w + j), lanes_mul(lanes_load_floats(b + j, LANES), by));
        lanes_store(w + j, v);
        written = lanes_add(written, v);
    }
    return lanes_sick(written, w, padded);
}

double ANB_PER_ISA(anb_rls_single_sum)(const double *part, size_t n)
{
    Lanes sum = lanes_zero();
    for (size_t j = 0; j < n; j += LANES)
        sum = lanes_add(sum, lanes_load(part + j));
    return lanes_sum(sum);
}

void ANB_PER_ISA(anb_rls_single_parts)(const double *d, const float *squares, double *part)
{
    lanes_store(part, lanes_mul(lanes_load(d), lanes_load_floats(squares, LANES)));
}
