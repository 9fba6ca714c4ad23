#include "row.h"
#include "src/numeric/moments.h"
#include "src/simd/kernels.h"

typedef AnbColumnsView View;
typedef AnbColumnsWork Work;
typedef AnbPlace Place;

size_t anb_columns_work_doubles(const AnbColumnsLayout *l)
{
    return 2 * l->width + l->inputs + 2 * l->times + (2 + sizeof(Place) / sizeof(double)) * l->categories + 1;
}

AnbColumnsWork anb_columns_work(const AnbColumnsLayout *l, double *scratch)
{
    Work w = {.row = scratch};
    w.z = w.row + l->width;
    w.times = w.row + anb_columns_times(l);
    w.cells = w.times + l->times;
    w.logs = w.cells + l->categories;
    w.place = (Place *)(w.logs + l->categories + l->times);
    w.answer = (double *)(w.place + l->categories);
    w.norm = w.answer + l->width;
    return w;
}

/* Finds the row's categories. Every step prefetches what the next one reads. */
static void locate(const AnbNode *self, const View *v, const Work *w)
{
    for (size_t c = 0; c < v->l->categories; c++) {
        Place *place = &w->place[c];
        place->key = anb_dictionary_key(w->cells[c]);
        place->set = &anb_columns_sets(v, c)[anb_dictionary_set(place->key, self->seed, v->l->n_sets)];
        __builtin_prefetch(place->set->key);
    }
    for (size_t c = 0; c < v->l->categories; c++) {
        Place *place = &w->place[c];
        size_t i = anb_set_find(place->set, place->key);
        place->entry = i == ANB_SET ? NULL : &place->set->entry[i];
        __builtin_prefetch(place->entry);
    }
}

/* Writes a category's statistics; in place of the log count its argument. */
static void encode(const View *v, const Work *w, size_t c)
{
    double *out = w->row + v->l->plain + c * ANB_STATISTICS, g = v->s->mean;
    Place *place = &w->place[c];
    w->logs[c] = 0;
    const AnbCategory *e = place->entry;
    if (!e) {
        out[ANB_MEAN] = out[ANB_RECENT] = g;
        out[ANB_EFFECT] = 0;
        place->share = 1 / v->options->prior;
        return;
    }
    place->share = 1 / (e->weight + v->options->prior);
    out[ANB_MEAN] = anb_toward(g, e->mean, e->weight * place->share);
    out[ANB_RECENT] = v->s->blends != 0 ? anb_dictionary_blend(&v->heads[c], e, out[ANB_MEAN]) : e->fading;
    out[ANB_EFFECT] = e->effect;
    w->logs[c] = e->weight;
}

/* The times' angles and hours of the week. */
static void read_times(const View *v, const Work *w)
{
    double *hours = w->cells + v->l->categories - v->l->times;
    for (size_t t = 0; t < v->l->times; t++)
        hours[t] = anb_calendar_turns(w->times[t], anb_columns_calendar(v, w, t));
}

/* Writes the features of times and categories, with all logarithms computed together. */
static void fill(const View *v, const Work *w)
{
    const AnbColumnsLayout *l = v->l;
    double *gaps = w->logs + l->categories;
    anb_calendar_circles(anb_columns_calendar(v, w, 0), l->times);
    for (size_t t = 0; t < l->times; t++)
        gaps[t] = anb_calendar_features(&v->calendars[t], w->times[t], anb_columns_calendar(v, w, t));
    for (size_t c = 0; c < l->categories; c++)
        encode(v, w, c);
    anb_log1p_all(w->logs, l->categories + l->times);
    for (size_t t = 0; t < l->times; t++)
        anb_calendar_gap(&v->calendars[t], w->times[t], gaps[t], anb_columns_calendar(v, w, t));
    for (size_t c = 0; c < l->categories; c++)
        w->row[l->plain + c * ANB_STATISTICS + ANB_COUNT_LOG] = w->logs[c];
}

const double *anb_columns_map(const AnbNode *self, const View *v, const double *cells, const Work *w)
{
    anb_columns_split(v->l, v->moves, cells, w->row);
    if (v->l->categories > 0) { /* each time counts as a category as well */
        read_times(v, w);
        locate(self, v, w);
        fill(v, w);
    }
    return w->row;
}
