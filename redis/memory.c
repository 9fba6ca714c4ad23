/* Models are allocated from the memory that the server counts. */
#include "model.h"
#include "statistics.h"

static void *server_alloc(size_t size, void *context)
{
    (void)context;
    return RedisModule_TryAlloc ? RedisModule_TryAlloc(size) : RedisModule_Alloc(size);
}

static void server_free(void *memory, void *context)
{
    (void)context;
    RedisModule_Free(memory);
}

AnbModelOptions anb_model_options(void)
{
    static const AnbAllocator server = {server_alloc, server_free, NULL};
    AnbModelOptions options = anb_model_defaults();
    options.allocator = &server;
    options.max_bytes = (size_t)anb_max_model_bytes;
    return options;
}
