/* Making a mixture, and the read-outs of a model's first one, or of the one at a path. */
#include "model.h"
#include <anabranch/moe.h>

StreamingLearner *anb_moe_new(size_t n_features, const AnbExpert *experts, size_t n_experts, AnbError *error)
{
    AnbExpert root = {.type = &anb_moe, .children = experts, .n_children = n_experts};
    return anb_new(n_features, &root, NULL, error);
}

static int view(const StreamingLearner *model, const AnbNode *moe, AnbMixture *mixture)
{
    return moe->type->query(moe, anb_state_of(model, moe), NULL, anb_scratch_of(model, moe), ANB_QUERY_MIXTURE,
                            mixture);
}

int anb_mixture(const StreamingLearner *model, AnbMixture *mixture)
{
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

/* The node that labels lead to from the root, slashes between them; "": the root. NULL: nowhere. */
static const AnbNode *node_at(const StreamingLearner *model, const char *path)
{
    const AnbNode *node = &model->plan->nodes[0];
    while (node && *path) {
        size_t length = strcspn(path, "/");
        node = child_named(node, path, length);
        path += length + (path[length] == '/');
    }
    return node;
}

int anb_mixture_at(const StreamingLearner *model, const char *path, AnbMixture *mixture)
{
    const AnbNode *node = node_at(model, path);
    if (!node)
        return ANB_E_UNKNOWN;
    return node->type == &anb_moe ? view(model, node, mixture) : ANB_E_UNSUPPORTED;
}

const char *anb_expert_name_at(const StreamingLearner *model, const char *path, size_t i)
{
    const AnbNode *node = node_at(model, path);
    return node && node->type == &anb_moe && i < node->n_children ? node->children[i].label : NULL;
}

int anb_gate_weights(const StreamingLearner *model, AnbGateWeights *weights)
{
    const AnbNode *moe = model->plan->moe;
    if (!moe)
        return ANB_E_UNSUPPORTED;
    return moe->type->query(moe, anb_state_of(model, moe), NULL, NULL, ANB_QUERY_GATE, weights);
}

const char *anb_expert_name(const StreamingLearner *model, size_t i)
{
    const AnbNode *moe = model->plan->moe;
    return moe && i < moe->n_children ? moe->children[i].label : NULL;
}

/* A question about a row: the root predicts it, so that every wrapper has its own rows made, and passes it on. */
static int ask(StreamingLearner *model, const double *x, AnbQuery what, void *out)
{
    const AnbNode *root = &model->plan->nodes[0];
    AnbRow row = {x, x, NULL, &model->counters};
    if (!model->plan->moe || !root->type->query)
        return ANB_E_UNSUPPORTED;
    double f = anb_predict(model, x);
    if (f != f)
        return ANB_E_INPUT;
    return root->type->query(root, model->block, &row, model->scratch, what, out);
}

int anb_routing_probabilities(StreamingLearner *model, const double *x, double *p)
{
    return ask(model, x, ANB_QUERY_ROUTING, p);
}

int anb_expert_predictions(StreamingLearner *model, const double *x, double *f)
{
    return ask(model, x, ANB_QUERY_EXPERTS, f);
}

double anb_expert_disagreement(StreamingLearner *model, const double *x)
{
    double spread;
    return ask(model, x, ANB_QUERY_DISAGREEMENT, &spread) ? ANB_NAN : spread;
}

int anb_five_numbers(const StreamingLearner *model, AnbFiveNumbers *numbers)
{
    AnbMixture m;
    int code = anb_mixture(model, &m);
    if (code)
        return code;
    *numbers = (AnbFiveNumbers){m.alignment, m.load_balance_rate, m.gate_entropy, (double)m.k, m.disagreement};
    return 0;
}
