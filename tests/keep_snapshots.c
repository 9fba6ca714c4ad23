/*
 * Writes the snapshots that every later version has to load: keep_snapshots FOLDER, one file for each type, FOLDER
 * being tests/snapshots/VERSION. Run once for a release; files of releases are never written again. Each carries its
 * answers: the note "answers" holds what the model says of the first rows of a fixed stream.
 */
#include "kept.h"
#include <stdlib.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    mkdir(argv[1], 0777);
    for (size_t i = 0; i < zoo_count(); i++) {
        char path[1024], name[ZOO_TEXT];
        double answers[KEPT_ANSWERS];
        char text[KEPT_TEXT];
        static const char *const features[ZOO_FEATURES] = {"a", "b", "c", "d", "e"};
        AnbError error = {0};
        ZooStream s = zoo_stream(31, true);
        StreamingLearner *model = zoo_model(i, NULL, &error);
        zoo_train(model, &s, 250);
        kept_answers(model, answers);
        AnbNote note = {"answers", text, kept_print(answers, text)};
        AnbSnapshotExtras extras = {features, "y", &note, 1};
        snprintf(path, sizeof path, "%s/%s.anb", argv[1], zoo_name(i, name));
        if (anb_save(model, &extras, path, &error)) {
            fprintf(stderr, "%s\n", error.message);
            return 1;
        }
        anb_free(model);
    }
    return 0;
}
