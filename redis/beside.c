/*
 * What the module counts for a model outside its learner: how good its predictions were before learning, and how far it
 * has read each stream. Both depend on the commands alone, so replicas and the log rebuild them. In files and snapshots
 * they are notes: the positions in streams in all of them, the scores only in those that the server writes for itself.
 */
#include "beside.h"
#include "background.h"
#include "model.h"
#include <anabranch/number.h>
#include <anabranch/quantile.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char scores_key[] = "anabranch.scores", feed_prefix[] = "anabranch.feed:";

/* ---- scores ------------------------------------------------------------------------------------------------------ */

unsigned anb_beside_bound(const StreamingLearner *learner, double y)
{
    AnbAnswer answer;
    const double *level;
    unsigned bound = 0;
    if (anb_last_answer(learner, &answer) || answer.scored < 0)
        return 0;
    size_t n = anb_interval_levels(learner, &level);
    for (size_t i = 0; i < n; i++) {
        double half = answer.limit[i] - answer.limit[i] == 0 ? answer.limit[i] * answer.sigma : answer.limit[i];
        bound |= (fabs(y - answer.prediction) <= half ? 1u : 0u) << i;
    }
    return bound | BOUND_KNOWN;
}

/* A copy of the counts of intervals, or an empty one. */
static Held *held_new(const Held *from)
{
    Held *held = RedisModule_Alloc(sizeof *held);
    *held = from ? *from : (Held){0};
    return held;
}

static void score_bound(Scores *s, double keep, unsigned bound)
{
    if (!(bound & BOUND_KNOWN))
        return;
    Held *h = s->held = s->held ? s->held : held_new(NULL);
    h->asked++;
    h->weight = keep * h->weight + 1;
    for (size_t i = 0; i < ANB_LEVELS_MAX; i++) {
        double held = bound >> i & 1;
        h->held[i] += held;
        h->faded[i] += (held - h->faded[i]) / h->weight;
    }
}

void anb_beside_score(Scores *s, double y, double prediction, unsigned bound)
{
    const double keep = 1 - 2.0 / (SCORES_SPAN + 1);
    double error = fabs(y - prediction), square = error * error;
    score_bound(s, keep, bound);
    if (!(square <= 1e300)) /* no prediction, or an error too large to square */
        return;
    s->n++;
    s->square += square;
    s->absolute += error;
    s->weight = keep * s->weight + 1;
    s->faded_square += (square - s->faded_square) / s->weight;
    s->faded_absolute += (error - s->faded_absolute) / s->weight;
}

/* The numbers of a note: the errors, then, where intervals were answered, their counts. */
enum { ERRORS = 6, BOUNDS = 2 + 2 * ANB_LEVELS_MAX };

static int scores_print(const Scores *s, char *text, size_t size)
{
    double values[ERRORS + BOUNDS] = {(double)s->n, s->square,       s->absolute,
                                      s->weight,    s->faded_square, s->faded_absolute};
    const Held *h = s->held;
    size_t many = h ? ERRORS + BOUNDS : ERRORS;
    int n = 0;
    if (h) {
        values[ERRORS] = (double)h->asked;
        values[ERRORS + 1] = h->weight;
        memcpy(values + ERRORS + 2, h->held, sizeof h->held);
        memcpy(values + ERRORS + 2 + ANB_LEVELS_MAX, h->faded, sizeof h->faded);
    }
    for (size_t i = 0; i < many; i++) {
        char number[ANB_NUMBER_SIZE];
        anb_number_format(values[i], number);
        n += snprintf(text + n, size - (size_t)n, "%s%s", i > 0 ? " " : "", number);
    }
    return n;
}

/* How many numbers the text holds, none of them negative or infinite; 0 where it is otherwise. */
static size_t read_numbers(const char *text, double *values, size_t room)
{
    size_t i = 0;
    for (; i < room && *text; i++) {
        int n = anb_number_parse(text, strlen(text), &values[i]);
        if (n <= 0 || !(values[i] >= 0) || values[i] - values[i] != 0)
            return 0;
        text += n + (text[n] == ' ');
    }
    return *text ? 0 : i;
}

static bool scores_parse(const char *text, Scores *s)
{
    double values[ERRORS + BOUNDS] = {0};
    size_t many = read_numbers(text, values, ERRORS + BOUNDS);
    if ((many != ERRORS && many != ERRORS + BOUNDS) || values[0] > 0x1p53 || values[ERRORS] > 0x1p53)
        return false;
    RedisModule_Free(s->held);
    *s = (Scores){.n = (uint64_t)values[0],
                  .square = values[1],
                  .absolute = values[2],
                  .weight = values[3],
                  .faded_square = values[4],
                  .faded_absolute = values[5]};
    if (many == ERRORS)
        return true;
    Held *h = s->held = held_new(NULL);
    h->asked = (uint64_t)values[ERRORS];
    h->weight = values[ERRORS + 1];
    memcpy(h->held, values + ERRORS + 2, sizeof h->held);
    memcpy(h->faded, values + ERRORS + 2 + ANB_LEVELS_MAX, sizeof h->faded);
    return true;
}

/* ---- cursors ----------------------------------------------------------------------------------------------------- */

static Feed *find_feed(const Model *model, const char *stream, size_t n)
{
    for (size_t i = 0; model->feeds && i < model->feeds->n; i++) {
        Feed *feed = &model->feeds->feed[i];
        if (strlen(feed->stream) == n && memcmp(feed->stream, stream, n) == 0)
            return feed;
    }
    return NULL;
}

static Feeds *feeds_with_room(const Feeds *old, size_t more)
{
    size_t n = old ? old->n : 0;
    if (n + more == 0)
        return NULL;
    Feeds *feeds = RedisModule_Alloc(sizeof *feeds + (n + more) * sizeof *feeds->feed);
    feeds->n = n;
    if (n > 0)
        memcpy(feeds->feed, old->feed, n * sizeof *feeds->feed);
    return feeds;
}

Feed *anb_feed_add(Model *model, const char *stream, size_t n)
{
    Feed *found = find_feed(model, stream, n);
    if (found)
        return found;
    if (n == 0 || n >= FEED_NAME || memchr(stream, 0, n) || (model->feeds && model->feeds->n == FEEDS_MAX))
        return NULL;
    Feeds *feeds = feeds_with_room(model->feeds, 1);
    Feed *feed = &feeds->feed[feeds->n++];
    *feed = (Feed){.last = {0, 0}};
    memcpy(feed->stream, stream, n);
    RedisModule_Free(model->feeds);
    model->feeds = feeds;
    return feed;
}

void anb_feed_drop_unread(Model *model)
{
    const Feed *last = model->feeds && model->feeds->n > 0 ? &model->feeds->feed[model->feeds->n - 1] : NULL;
    if (last && last->learned + last->bad == 0)
        model->feeds->n--;
}

static int feed_print(const Feed *f, char *text, size_t size)
{
    return snprintf(text, size, "%llu-%llu %llu %llu %llu-%llu %llu", (unsigned long long)f->last.ms,
                    (unsigned long long)f->last.seq, (unsigned long long)f->learned, (unsigned long long)f->bad,
                    (unsigned long long)f->bad_id.ms, (unsigned long long)f->bad_id.seq, (unsigned long long)f->gaps);
}

static bool feed_parse(Model *model, const char *key, const char *text)
{
    unsigned long long v[7];
    const char *stream = key + sizeof feed_prefix - 1;
    int end = 0;
    if (sscanf(text, "%llu-%llu %llu %llu %llu-%llu %llu%n", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &end) !=
            7 ||
        text[end])
        return false;
    Feed *feed = anb_feed_add(model, stream, strlen(stream));
    if (!feed)
        return false;
    feed->last = (RedisModuleStreamID){v[0], v[1]};
    feed->learned = v[2];
    feed->bad = v[3];
    feed->bad_id = (RedisModuleStreamID){v[4], v[5]};
    feed->gaps = v[6];
    return true;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

void anb_beside_copy(const Model *model, Model *copy)
{
    copy->scores = model->scores;
    copy->scores.held = model->scores.held ? held_new(model->scores.held) : NULL;
    copy->feeds = feeds_with_room(model->feeds, 0);
    copy->background = anb_background_copy(model->background);
}

void anb_beside_reset(Model *model)
{
    RedisModule_Free(model->feeds);
    model->feeds = NULL;
    RedisModule_Free(model->scores.held);
    model->scores = (Scores){0};
    if (model->importance) {
        anb_importance_reset(model->importance);
        anb_observe_reset(anb_importance_observer(model->importance), model->learner);
    }
    if (model->background)
        model->background->seen = 0;
}

bool anb_beside_take(Model *model, const AnbNote *note, size_t d)
{
    if (strcmp(note->key, anb_background_key) == 0 && !model->background)
        return (model->background = anb_background_of_note(note->value, note->size, d)) != NULL;
    if (strcmp(note->key, scores_key) == 0)
        return scores_parse(note->value, &model->scores);
    return strncmp(note->key, feed_prefix, sizeof feed_prefix - 1) == 0 && feed_parse(model, note->key, note->value);
}

enum { SCORES_TEXT = (ERRORS + BOUNDS) * (ANB_NUMBER_SIZE + 1), FEED_TEXT = 200, OWN_NOTES = FEEDS_MAX + 2 };

struct AnbBesideNotes {
    char key[FEEDS_MAX][sizeof feed_prefix + FEED_NAME], value[FEEDS_MAX][FEED_TEXT], scores[SCORES_TEXT];
    AnbNote note[];
};

/* Appends the module's notes to the kept ones; returns how many there are then. */
static size_t put_notes(const Model *model, bool scores, AnbBesideNotes *notes, unsigned char *rows, size_t n)
{
    for (size_t i = 0; model->feeds && i < model->feeds->n; i++) {
        snprintf(notes->key[i], sizeof notes->key[i], "%s%s", feed_prefix, model->feeds->feed[i].stream);
        int size = feed_print(&model->feeds->feed[i], notes->value[i], FEED_TEXT);
        notes->note[n++] = (AnbNote){notes->key[i], notes->value[i], (size_t)size};
    }
    if (scores && model->scores.n > 0) {
        int size = scores_print(&model->scores, notes->scores, SCORES_TEXT);
        notes->note[n++] = (AnbNote){scores_key, notes->scores, (size_t)size};
    }
    if (scores && model->background)
        notes->note[n++] = (AnbNote){anb_background_key, rows, anb_background_note(model->background, rows)};
    return n;
}

AnbBesideNotes *anb_beside_notes(const Model *model, bool scores, AnbSnapshotExtras *extras)
{
    const AnbSnapshotExtras none = {0}, *kept = model->kept ? &model->kept->extras : &none;
    size_t n = kept->n_notes, background = scores ? anb_background_note(model->background, NULL) : 0;
    *extras = *kept;
    if (!model->feeds && background == 0 && !(scores && model->scores.n > 0))
        return NULL;
    size_t head = sizeof(AnbBesideNotes) + (n + OWN_NOTES) * sizeof(AnbNote);
    AnbBesideNotes *notes = RedisModule_Alloc(head + background);
    if (n > 0)
        memcpy(notes->note, kept->notes, n * sizeof *notes->note);
    extras->notes = notes->note;
    extras->n_notes = put_notes(model, scores, notes, (unsigned char *)notes + head, n);
    return notes;
}
