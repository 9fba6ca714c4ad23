/* What mlp keeps: its header, two to four copies of the weights, a ring of samples; and where all that lies. mlp.c learns. */
#ifndef ANB_LEARNERS_MLP_STATE_H
#define ANB_LEARNERS_MLP_STATE_H

#include "src/numeric/error_scale.h"
#include "src/numeric/moments.h"
#include "src/numeric/network.h"
#include "src/numeric/ring.h"
#include "src/numeric/weight_unit.h"
#include <anabranch/learners.h>

typedef struct Mlp {
    AnbRandom random;
    AnbRing ring;
    AnbMoments target;
    AnbErrorScale error; /* of the prediction */
    AnbWeightUnit unit;
    double square_power, mean_power; /* decay^t, momentum^t */
    double cross, spread;            /* discounted sums of e d and d^2 */
    AnbFaded quick, slow;            /* squared errors of o, of lately and of long */
    uint64_t steps, since;           /* since: the step at which the rate started to fall */
} Mlp;

/* Where everything of one node lies. */
typedef struct View {
    const AnbNode *self;
    const AnbMlpOptions *o;
    AnbNetwork net;
    size_t d, size, memory; /* memory: slots of the ring */
    Mlp *s;
    AnbNetworkRows w;
    double *y;
    float *x;      /* the ring's rows, of feature j in units of its own: (x - origin[j]) inverse[j] is one of now */
    double *pulls; /* the features' mean pulls, and their mean squares */
    double *inverse, *origin; /* none where nothing is remembered */
} View;

/* o and o'; then of a batch: rows of d + 1, deltas, pulls of d + 1, traces. */
enum { MLP_OUTPUT, MLP_ROWS, MLP_DELTAS, MLP_PULL, MLP_TRACES };
/* Of MLP_OUTPUT, which is the scratch's first. */
enum { MLP_NEWEST, MLP_AVERAGED };

extern const AnbField anb_mlp_fields[], anb_mlp_scratch[];

bool anb_mlp_adam(const AnbMlpOptions *options);
/* Arrays of the network's size: weights, their average, and Adam's means. */
size_t anb_mlp_copies(const AnbMlpOptions *options);
/* Rows of a step: the new one and those that are learned again. */
size_t anb_mlp_batch(const AnbNode *self);
/* Sizes, from the plan alone; and with a state. */
View anb_mlp_plan(const AnbNode *self);
View anb_mlp_view(const AnbNode *self, void *state);
int anb_mlp_init(const AnbNode *self, void *state);

#endif
