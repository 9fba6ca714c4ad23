/* Makes mixtures, and reads a model's first mixture or the one at a path. */
#include "mixture.h"
#include "model.h"
#include <anabranch/moe.h>
#include <anabranch/reach.h>

StreamingLearner *anb_moe_new(size_t n_features, const AnbExpert *experts, size_t n_experts, AnbError *error)
{
    AnbExpert root = {.type = &anb_moe, .children = experts, .n_children = n_experts};
    return anb_new(n_features, &root, NULL, error);
}

static int view(const StreamingLearner *model, const AnbNode *node, AnbMixture *mixture)
{
    const AnbMixtureTable *table = node->type->mixture;
    if (!table)
        return ANB_E_UNSUPPORTED;
    table->view(node, anb_state_of(model, node), anb_scratch_of(model, node), mixture);
    return 0;
}

int anb_mixture(const StreamingLearner *model, AnbMixture *mixture)
{
    if (!model || !mixture)
        return ANB_E_ARGUMENT;
    const AnbNode *moe = model->plan->moe;
    return moe ? view(model, moe, mixture) : ANB_E_UNSUPPORTED;
}

static const AnbNode *child_named(const AnbNode *node, const char *label, size_t length)
{
    for (size_t i = 0; i < node->n_children; i++)
        if (strncmp(node->children[i].label, label, length) == 0 && node->children[i].label[length] == 0)
            return &node->children[i];
    return NULL;
}

AnbFeatureSource anb_feature_source(const AnbNode *node, size_t child, size_t i)
{
    AnbFeatureSource source = {.column = {i}, .n = 1};
    if (!node->type->child_features)
        return source;
    source = (AnbFeatureSource){.part = node->type->name, .number = i + 1};
    if (anb_since_0_3(node->type) && node->type->features)
        node->type->features->source(node, child, i, &source);
    return source;
}

const AnbNode *anb_node_at(const StreamingLearner *model, const char *path)
{
    const AnbNode *node = &model->plan->nodes[0];
    while (node && path && *path) {
        size_t length = strcspn(path, "/");
        node = child_named(node, path, length);
        path += length + (path[length] == '/');
    }
    return path ? node : NULL;
}

int anb_mixture_at(const StreamingLearner *model, const char *path, AnbMixture *mixture)
{
    if (!model || !path || !mixture)
        return ANB_E_ARGUMENT;
    const AnbNode *node = anb_node_at(model, path);
    return node ? view(model, node, mixture) : ANB_E_UNKNOWN;
}

const char *anb_expert_name_at(const StreamingLearner *model, const char *path, size_t i)
{
    const AnbNode *node = anb_node_at(model, path);
    return node && node->type->mixture && i < node->n_children ? node->children[i].label : NULL;
}

int anb_gate_weights(const StreamingLearner *model, AnbGateWeights *weights)
{
    if (!model || !weights)
        return ANB_E_ARGUMENT;
    const AnbNode *moe = model->plan->moe, *router = moe ? moe->router : NULL;
    const AnbGateTable *table = router ? anb_router_type(router)->readable : NULL;
    if (!table)
        return ANB_E_UNSUPPORTED;
    table->weights(router, anb_state_of(model, router), weights);
    return 0;
}

const char *anb_expert_name(const StreamingLearner *model, size_t i)
{
    const AnbNode *moe = model->plan->moe;
    return moe && i < moe->n_children ? moe->children[i].label : NULL;
}

/* Walks to the first mixture, for a row that the root has just predicted: so every wrapper has made its own row in the
 * scratch. */
static int reach_mixture(const StreamingLearner *model, double *scratch, AnbCounters *counters, const double *x,
                         double f, AnbAsked *at)
{
    AnbRow row = {x, x, NULL, counters, NULL};
    if (!model->plan->moe)
        return ANB_E_UNSUPPORTED;
    if (f != f)
        return ANB_E_INPUT;
    *at = anb_ask(&model->plan->nodes[0], anb_block(model), &row, scratch);
    return anb_reach(at, ANB_CAN_MIX) && at->node == model->plan->moe ? 0 : ANB_E_UNSUPPORTED;
}

static int reach_own(StreamingLearner *model, const double *x, AnbAsked *at)
{
    return reach_mixture(model, anb_scratch_kept(model), &model->counters, x, anb_predict(model, x), at);
}

static int reach_with(const StreamingLearner *model, AnbReader *reader, const double *x, AnbAsked *at)
{
    double f = anb_predict_with(model, reader, x);
    return reach_mixture(model, reader->scratch, &reader->counters, x, f, at);
}

static int routing_at(int code, const AnbAsked *at, double *p)
{
    if (!code)
        at->node->type->mixture->routing(at->node, at->state, &at->row, at->scratch, p);
    return code;
}

static int experts_at(int code, const AnbAsked *at, double *f)
{
    if (!code)
        at->node->type->mixture->experts(at->node, at->state, &at->row, at->scratch, f);
    return code;
}

static double disagreement_at(int code, const AnbAsked *at)
{
    return code ? ANB_NAN : at->node->type->mixture->disagreement(at->node, at->state, &at->row, at->scratch);
}

int anb_routing_probabilities(StreamingLearner *model, const double *x, double *p)
{
    AnbAsked at;
    return routing_at(reach_own(model, x, &at), &at, p);
}

int anb_expert_predictions(StreamingLearner *model, const double *x, double *f)
{
    AnbAsked at;
    return experts_at(reach_own(model, x, &at), &at, f);
}

double anb_expert_disagreement(StreamingLearner *model, const double *x)
{
    AnbAsked at;
    return disagreement_at(reach_own(model, x, &at), &at);
}

int anb_routing_probabilities_with(const StreamingLearner *model, AnbReader *reader, const double *x, double *p)
{
    AnbAsked at;
    return routing_at(reach_with(model, reader, x, &at), &at, p);
}

int anb_expert_predictions_with(const StreamingLearner *model, AnbReader *reader, const double *x, double *f)
{
    AnbAsked at;
    return experts_at(reach_with(model, reader, x, &at), &at, f);
}

double anb_expert_disagreement_with(const StreamingLearner *model, AnbReader *reader, const double *x)
{
    AnbAsked at;
    return disagreement_at(reach_with(model, reader, x, &at), &at);
}

int anb_mixture_with(const StreamingLearner *model, AnbReader *reader, const double *x, AnbMixture *mixture)
{
    AnbAsked at;
    int code = reach_with(model, reader, x, &at);
    if (code)
        return code;
    at.node->type->mixture->view(at.node, at.state, at.scratch, mixture);
    mixture->target = mixture->error = ANB_NAN;
    mixture->after = mixture->probability;
    mixture->n_reset = 0;
    return 0;
}

int anb_mixture_summary(const StreamingLearner *model, AnbMixtureSummary *summary)
{
    AnbMixture m;
    int code = summary ? anb_mixture(model, &m) : ANB_E_ARGUMENT;
    if (code)
        return code;
    *summary = (AnbMixtureSummary){m.alignment, m.load_balance_rate, m.gate_entropy, (double)m.k, m.disagreement};
    return 0;
}
