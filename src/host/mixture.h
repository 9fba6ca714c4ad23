/* Nodes by their labels, and what their features are called. */
#ifndef ANB_HOST_MIXTURE_H
#define ANB_HOST_MIXTURE_H

#include <anabranch/learner.h>
#include <anabranch/type.h>

/* The node that labels lead to from the root, slashes between them; "": the root. NULL: nowhere. */
const AnbNode *anb_node_at(const StreamingLearner *model, const char *path);

/* Where feature i of child `child` comes from; the same feature of the node where the child sees the row as the node
 * does. */
AnbFeatureSource anb_feature_source(const AnbNode *node, size_t child, size_t i);

/* As anb_feature_name, of a node and a feature that it sees. */
ptrdiff_t anb_node_feature_name(const StreamingLearner *model, const AnbNode *node, size_t i,
                                const char *const *columns, char *out, size_t size);

#endif
