/*
 * What the module counts beside a model: how good its predictions were before learning, and how far it has read each
 * stream. Both follow from the commands alone, so replicas and the log rebuild them. In files and snapshots they are notes:
 * the cursors in all of them, the scores only in those that the server writes for itself.
 */
#include "module.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char scores_key[] = "anabranch.scores", feed_prefix[] = "anabranch.feed:";

/* ---- scores ------------------------------------------------------------------------------------------------------ */

void anb_beside_score(Scores *s, double y, double said)
{
    const double keep = 1 - 2.0 / (SCORES_SPAN + 1);
    double error = fabs(y - said), square = error * error;
    if (!(square <= 1e300)) /* a prediction that is none, or an error beyond all scale */
        return;
    s->n++;
    s->square += square;
    s->absolute += error;
    s->weight = keep * s->weight + 1;
    s->faded_square += (square - s->faded_square) / s->weight;
    s->faded_absolute += (error - s->faded_absolute) / s->weight;
}

static int scores_print(const Scores *s, char *text, size_t size)
{
    const double values[] = {(double)s->n, s->square, s->absolute, s->weight, s->faded_square, s->faded_absolute};
    int n = 0;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char number[ANB_NUMBER_SIZE];
        anb_number_format(values[i], number);
        n += snprintf(text + n, size - (size_t)n, "%s%s", i > 0 ? " " : "", number);
    }
    return n;
}

static bool scores_parse(const char *text, Scores *s)
{
    double values[6];
    for (size_t i = 0; i < 6; i++) {
        int n = anb_number_parse(text, strlen(text), &values[i]);
        if (n <= 0 || !(values[i] >= 0) || values[i] - values[i] != 0)
            return false;
        text += n + (text[n] == ' ');
    }
    if (*text || values[0] > 0x1p53)
        return false;
    *s = (Scores){(uint64_t)values[0], values[1], values[2], values[3], values[4], values[5]};
    return true;
}

/* ---- cursors ----------------------------------------------------------------------------------------------------- */

Feed *anb_feed_find(const Model *model, const char *stream, size_t n)
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
    Feed *found = anb_feed_find(model, stream, n);
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
    copy->feeds = feeds_with_room(model->feeds, 0);
}

void anb_beside_reset(Model *model)
{
    RedisModule_Free(model->feeds);
    model->feeds = NULL;
    model->scores = (Scores){0};
    if (model->importance)
        anb_importance_reset(model->importance);
}

bool anb_beside_take(Model *model, const AnbNote *note)
{
    if (strcmp(note->key, scores_key) == 0)
        return scores_parse(note->value, &model->scores);
    return strncmp(note->key, feed_prefix, sizeof feed_prefix - 1) == 0 && feed_parse(model, note->key, note->value);
}

struct AnbBesideNotes {
    char key[FEEDS_MAX + 1][sizeof feed_prefix + FEED_NAME], value[FEEDS_MAX + 1][200];
    AnbNote note[];
};

AnbBesideNotes *anb_beside_notes(const Model *model, bool scores, AnbSnapshotExtras *extras)
{
    const AnbSnapshotExtras none = {0}, *kept = model->kept ? &model->kept->extras : &none;
    size_t feeds = model->feeds ? model->feeds->n : 0, n = kept->n_notes;
    scores = scores && model->scores.n > 0;
    *extras = *kept;
    if (feeds + scores == 0)
        return NULL;
    AnbBesideNotes *notes = RedisModule_Alloc(sizeof *notes + (n + feeds + scores) * sizeof *notes->note);
    if (n > 0)
        memcpy(notes->note, kept->notes, n * sizeof *notes->note);
    for (size_t i = 0; i < feeds + scores; i++) {
        char *key = notes->key[i], *value = notes->value[i];
        snprintf(key, sizeof notes->key[i], "%s%s", i < feeds ? feed_prefix : scores_key,
                 i < feeds ? model->feeds->feed[i].stream : "");
        int size = i < feeds ? feed_print(&model->feeds->feed[i], value, sizeof notes->value[i])
                             : scores_print(&model->scores, value, sizeof notes->value[i]);
        notes->note[n++] = (AnbNote){key, value, (size_t)size};
    }
    extras->notes = notes->note;
    extras->n_notes = n;
    return notes;
}
