/* What every type's table of options says: values outside are refused by name, and nothing lacks its description. */
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <string.h>

enum { D = 4 };

static void refused(const StreamingLearnerType *type, const AnbParam *param, double value, const void *defaults)
{
    AnbError error = {0};
    AnbExpert child[] = {{.type = &anb_linear}, {.type = &anb_mean}};
    _Alignas(16) unsigned char options[4096];
    memcpy(options, defaults, type->options_size);
    if (param->kind == ANB_REAL)
        memcpy(options + param->offset, &value, sizeof value);
    else
        memcpy(options + param->offset, &(int){(int)value}, sizeof(int));
    AnbExpert root = {.type = type, .options = options, .children = child};
    root.n_children = type->min_children < 2 ? type->min_children : 2;
    ck_assert_msg(anb_new(D, &root, NULL, &error) == NULL, "%s takes %s = %g", type->name, param->name, value);
    ck_assert_int_eq(error.code, ANB_E_ARGUMENT);
    ck_assert_msg(strstr(error.message, param->name) != NULL, "%s: '%s' does not name %s", type->name, error.message,
                  param->name);
}

static void try_param(const StreamingLearnerType *type, const AnbParam *param, const void *defaults)
{
    if (param->kind == ANB_WORD)
        refused(type, param, 99, defaults);
    if (param->kind != ANB_REAL && param->kind != ANB_COUNT)
        return;
    refused(type, param, param->min - 1, defaults);
    if (param->max < 1e9)
        refused(type, param, param->max + 1, defaults);
    if (param->kind == ANB_REAL) {
        refused(type, param, NAN, defaults);
        refused(type, param, INFINITY, defaults);
        if (param->open & ANB_OPEN_MIN)
            refused(type, param, param->min, defaults);
        if (param->open & ANB_OPEN_MAX)
            refused(type, param, param->max, defaults);
    }
}

START_TEST(bad_options_are_refused_by_name)
{
    for (const StreamingLearnerType *const *t = anb_learner_types(); *t; t++) {
        _Alignas(16) unsigned char options[4096];
        ck_assert_uint_le((*t)->options_size, sizeof options);
        anb_options_defaults(*t, options, (*t)->options_size);
        for (const AnbParam *p = (*t)->params; p && p->name; p++)
            try_param(*t, p, options);
    }
}
END_TEST

START_TEST(every_type_describes_itself)
{
    for (const StreamingLearnerType *const *t = anb_learner_types(); *t; t++) {
        ck_assert_uint_gt(strlen((*t)->brief), 10);
        ck_assert_msg(strncmp((*t)->example, (*t)->name, strlen((*t)->name)) == 0, "%s", (*t)->example);
        for (const AnbParam *p = (*t)->params; p && p->name; p++)
            ck_assert_msg(p->help && strlen(p->help) > 5, "%s: %s has no help", (*t)->name, p->name);
        if ((*t)->expand)
            continue;
        unsigned weight = (*t)->flags & (ANB_WEIGHT_EXACT | ANB_WEIGHT_SCALED | ANB_WEIGHT_UNIT);
        ck_assert_msg(weight && !(weight & (weight - 1)), "%s: not one weight class", (*t)->name);
        ck_assert_msg((*t)->version >= 1, "%s: no version", (*t)->name);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("params");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, bad_options_are_refused_by_name);
    tcase_add_test(tests, every_type_describes_itself);
    return suite;
}

CHECK_MAIN(suite)
