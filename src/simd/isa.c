/* Which instruction set, decided once before main. */
#include "isa.h"
#include <string.h>

static AnbIsa in_use;
static bool chosen;
bool anb_isa_vnni, anb_isa_vbmi2;
static AnbIsaTable *tables;

/* Whether this build and this CPU have a set. */
static bool available(AnbIsa isa)
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

static void fill(const AnbIsaTable *entry)
{
    memcpy(entry->table, entry->per_isa[in_use], entry->size);
}

bool anb_isa_use(AnbIsa isa)
{
    if (!available(isa))
        return false;
    in_use = isa;
    chosen = true;
    for (const AnbIsaTable *entry = tables; entry; entry = entry->next)
        fill(entry);
    return true;
}

const char *anb_isa_name(AnbIsa isa)
{
    static const char *const names[ANB_ISA_COUNT] = {"baseline", "v3", "v4"};
    return isa < ANB_ISA_COUNT ? names[isa] : "unknown";
}

static void choose(void)
{
    if (!anb_isa_use(ANB_ISA_V4) && !anb_isa_use(ANB_ISA_V3))
        anb_isa_use(ANB_ISA_BASELINE);
#ifdef ANB_HAVE_X86_LEVELS
    anb_isa_vnni = in_use == ANB_ISA_V4 && __builtin_cpu_supports("avx512vnni");
    anb_isa_vbmi2 = in_use == ANB_ISA_V4 && __builtin_cpu_supports("avx512vbmi2");
#endif
}

void anb_isa_add(AnbIsaTable *entry)
{
    entry->next = tables;
    tables = entry;
    if (!chosen)
        choose();
    fill(entry);
}
