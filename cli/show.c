#include "show.h"
#include <math.h>
#include <stdio.h>

const char *show_count(uint64_t value, char out[SHOW_SIZE])
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value), p = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            out[p++] = ',';
        out[p++] = digits[i];
    }
    out[p] = 0;
    return out;
}

const char *show_number(double value, char out[SHOW_SIZE])
{
    double size = fabs(value);
    if (!isfinite(value))
        snprintf(out, SHOW_SIZE, "-");
    else if (size >= 1e7 || (size < 1e-3 && size > 0))
        snprintf(out, SHOW_SIZE, "%.4e", value);
    else
        snprintf(out, SHOW_SIZE, "%.*f",
                 size >= 10000  ? 0
                 : size >= 1000 ? 1
                 : size >= 100  ? 2
                 : size >= 10   ? 3
                                : 4,
                 value);
    return out;
}

const char *show_bytes(uint64_t value, char out[SHOW_SIZE])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
    double shown = (double)value;
    int unit = 0;
    for (; shown >= 1000 && unit < 3; unit++)
        shown /= 1024;
    snprintf(out, SHOW_SIZE, unit ? "%.1f %s" : "%.0f %s", shown, units[unit]);
    return out;
}
