/* How far beyond the targets so far a prediction may go: outlook.h has the rule. */
#include "outlook.h"

const AnbField anb_outlook_fields[] = {{ANB_MEMBER(AnbOutlook, gain), .must = ANB_FINITE},
                                       {ANB_MEMBER(AnbOutlook, mean), .must = ANB_FINITE},
                                       {ANB_MEMBER(AnbOutlook, variance), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {0}};

static const double TIMES = 3, RECORD = 3, FADE = .97, MOST = 5;

void anb_outlook_judge(AnbOutlook *outlook, const AnbRange *range, double scale, double f, double g, double y)
{
    double side = ANB_OUTLOOK_NEAR * sqrt(outlook->variance),
           limited = anb_clamp(g, outlook->mean - side, outlook->mean + side);
    bool record = anb_range_clip(range, g) != g;
    if (range->seen < ANB_RANGE_SURE || !(scale > 0) || g - g != 0 || (limited == g && !record))
        return;
    limited = record ? anb_range_clip(range, f) : limited;
    double e = fabs(y - limited), r = TIMES * fabs(y - anb_outlook_bounded(range, g)), u = (e - r) / (e + r + scale);
    if (u - u == 0)
        outlook->gain = anb_clip(FADE * outlook->gain + (record ? RECORD * u : u), MOST);
}
