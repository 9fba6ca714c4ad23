/* Which instruction set, decided once before main. A new table is one line in TABLES. */
#include "cuts.h"
#include "isa.h"
#include "boa_kernels.h"
#include "gate.h"
#include "kernels.h"
#include "layers.h"
#include "local.h"
#include "near.h"
#include "network.h"
#include "packed.h"
#include "rls.h"

#define TABLES(X)                                                                                                      \
    X(AnbBoaKernels, anb_boa_kernels)                                                                                  \
    X(AnbGateKernels, anb_gate_kernels)                                                                                \
    X(AnbKernels, anb_kernels)                                                                                         \
    X(AnbRlsKernels, anb_rls_kernels)                                                                                  \
    X(AnbPackedKernels, anb_packed_kernels)                                                                            \
    X(AnbCutsKernels, anb_cuts_kernels)                                                                                \
    X(AnbLayerKernels, anb_layer_kernels)                                                                              \
    X(AnbNearKernels, anb_near_kernels)                                                                                \
    X(AnbLocalKernels, anb_local_kernels)                                                                              \
    X(AnbNetworkKernels, anb_network_kernels)

#define DEFINE(Type, name) Type name;
TABLES(DEFINE)

static AnbIsa in_use;

bool anb_isa_has(AnbIsa isa)
{
    if (isa == ANB_ISA_BASELINE)
        return true;
#ifdef ANB_HAVE_X86_LEVELS
    __builtin_cpu_init();
    bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
              __builtin_cpu_supports("fma");
    if (isa == ANB_ISA_V3)
        return v3;
    if (isa == ANB_ISA_V4)
        return v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
#endif
    return false;
}

AnbIsa anb_isa_in_use(void)
{
    return in_use;
}

bool anb_isa_use(AnbIsa isa)
{
    if (!anb_isa_has(isa))
        return false;
    in_use = isa;
#define USE_BASELINE(Type, name) name = name##_baseline;
#define USE_V3(Type, name) name = name##_v3;
#define USE_V4(Type, name) name = name##_v4;
    TABLES(USE_BASELINE)
#ifdef ANB_HAVE_X86_LEVELS
    if (isa == ANB_ISA_V3) {
        TABLES(USE_V3)
    } else if (isa == ANB_ISA_V4) {
        TABLES(USE_V4)
    }
#endif
    return true;
}

const char *anb_isa_name(AnbIsa isa)
{
    static const char *const names[ANB_ISA_COUNT] = {"baseline", "v3", "v4"};
    return isa < ANB_ISA_COUNT ? names[isa] : "unknown";
}

/* In the object that defines the tables, so that who uses one links this as well. */
__attribute__((constructor)) static void choose(void)
{
    if (!anb_isa_use(ANB_ISA_V4) && !anb_isa_use(ANB_ISA_V3))
        anb_isa_use(ANB_ISA_BASELINE);
}
