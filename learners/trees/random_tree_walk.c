/* The leaves of finished trees that rows reach, several walks at a time: none waits for the memory of another. */
#include "random_tree.h"

void anb_random_tree_leaves(const AnbRandomTree *tree, size_t trees, const float *x, uint32_t *leaf)
{
    for (size_t t = 0; t < trees; t++)
        leaf[t] = 0;
    for (bool moved = trees > 0; moved;) {
        moved = false;
        for (size_t t = 0; t < trees; t++) {
            const AnbRandomNode *node = &tree[t].node[leaf[t]];
            if (!node->left)
                continue;
            leaf[t] =
                node->left + !anb_random_left((double)x[node->feature & ~ANB_RANDOM_FLIP], node->value, node->feature);
            moved = true;
        }
    }
}

void anb_random_tree_add(const AnbRandomTree *tree, const float *x, size_t stride, size_t rows, double *sum)
{
    const AnbRandomNode *at[ANB_ROWS];
    for (size_t i = 0; i < rows; i++)
        at[i] = tree->node;
    for (bool moved = rows > 0; moved;) {
        moved = false;
        for (size_t i = 0; i < rows; i++) {
            const AnbRandomNode *node = at[i];
            float cell = x[i * stride + (node->left ? node->feature & ~ANB_RANDOM_FLIP : 0)];
            size_t next = node->left + !anb_random_left((double)cell, node->value, node->feature);
            at[i] = node->left ? tree->node + next : node;
            moved |= node->left != 0;
        }
    }
    for (size_t i = 0; i < rows; i++)
        sum[i] += at[i]->value;
}
