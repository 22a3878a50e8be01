from repo_tune_pipeline_tests.chunking.helpers import (
    cut,
    cut_lines,
    cut_one,
    outline_rows,
    reasons,
)

C = r"""/* A ring of bytes. */
#include <stdlib.h>
#include "ring/ring.h"

#define NEXT(r, at) \
    (((at) + 1) % (r)->size)

/**
 * Where bytes wait.
 */
typedef struct ring {
    size_t size; /**< how many fit */
    char *bytes;
    struct ring *next;
} ring_t;

typedef enum {
    RING_OK,
    RING_FULL,
} ring_status;

union word {
    int whole;
    char parts[4];
};

typedef int (*ring_visitor)(const ring_t *, void *);

static ring_t *spare;

#ifdef __cplusplus
extern "C" {
#endif

/// Makes a ring of `size` bytes.
///
/// @return NULL when memory is short
__attribute__((malloc)) ring_t *ring_new(size_t size)
{
    ring_t *ring = calloc(1, sizeof(*ring));
    if (!ring) {
        return NULL;
    }
#ifdef RING_TRACE
    trace("new", size);
#endif
    switch (size) {
    case 0:
        ring->next = spare;
        break;
    default:
        ring->visit(ring, NULL);
    }
    return ring;
}

#if defined(RING_FAST)
static inline int ring_full(const ring_t *ring) {
    return ring->size == MAX(1, ring->used);
}
#else
static inline int ring_full(const ring_t *ring) {
    return ring_count(ring) >= ring->size;
}
#endif

int ring_old(ring, at)
    ring_t *ring;
    int at;
{
    return NEXT(ring, at);
}

int (*ring_hook(int which))(int) {
    return hooks[which];
}

static void test_wraps(void) {
    assert(ring_full(ring_new(1)));
}

#ifdef __cplusplus
}
#endif

int broken(int a) {
    if (a { return 1; }
}
"""


def test_c_definitions() -> None:
    chunked = cut({"ring.c": C})
    assert outline_rows(chunked) == [
        ("type", "ring", 8, 15, "typedef struct ring"),
        ("type", "ring_status", 17, 20, "typedef enum"),
        ("type", "word", 22, 25, "union word"),
        ("function", "ring_new", 35, 55, "ring_t *ring_new(size_t size)"),
        ("function", "ring_full", 58, 60, "static inline int ring_full(const ring_t *ring)"),
        ("function", "ring_full", 62, 64, "static inline int ring_full(const ring_t *ring)"),
        ("function", "ring_old", 67, 72, "int ring_old(ring, at) ring_t *ring; int at"),
        ("function", "ring_hook", 74, 76, "int (*ring_hook(int which))(int)"),
        ("test", "test_wraps", 78, 80, "static void test_wraps(void)"),
    ]
    assert reasons(chunked) == {"broken": "syntax_error"}


def test_c_documentation_calls_imports_and_cuts() -> None:
    chunks = cut_one("ring.c", C)
    assert chunks["ring_new"].attributes == ("__attribute__((malloc))",)
    assert chunks["ring"].docstring == "Where bytes wait."
    assert (
        chunks["ring_new"].docstring
        == "Makes a ring of `size` bytes.\n\n@return NULL when memory is short"
    )
    assert chunks["ring_new"].callees == ("calloc", "trace", "visit")
    assert chunks["ring_new"].imports == ("ring/ring.h", "stdlib.h")
    assert cut_lines(chunks["ring_new"]) == [
        "ring_t *ring = calloc(1, sizeof(*ring));",
        "if (!ring) {",
        "return NULL;",
        "#ifdef RING_TRACE",
        'trace("new", size);',
        "switch (size) {",
        "case 0:",
        "ring->next = spare;",
        "break;",
        "default:",
        "ring->visit(ring, NULL);",
        "return ring;",
    ]
