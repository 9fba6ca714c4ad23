/* The options with which models are made and loaded. */
#include "model.h"
#include "src/text/given.h"
#include "src/text/sized.h"

static const AnbModelOptions usual = {.size = sizeof usual, .seed = 1, .max_bytes = (size_t)1 << 30};

void anb_model_options_init(AnbModelOptions *options, size_t size)
{
    anb_sized_give(&usual, sizeof usual, options, size);
}

int anb_model_options_take(const AnbModelOptions *given, AnbModelOptions *own, AnbError *error)
{
    *own = usual;
    int code = given ? anb_sized_take("a model", own, sizeof *own, given, error) : 0;
    return code ? code : anb_allocator_check(own->allocator, error);
}
