/* The lane in C, on Python's limited API: one pass over the bytes of a block, one state each.

   ticks(block, pad, ticks, width, column, decimals) -> rows, or -1 where the block is in doubt.
   `ticks` is a writable buffer of int64. No byte is read or written outside the two buffers: the
   block ends with a line end, at which every loop stops, and rows are counted against the room. */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

enum { PLAIN, COMMA, LINE_END, BAD };
static unsigned char kinds[256];

static int64_t close_ticks(const unsigned char *at, const unsigned char *end, int decimals)
{
    const unsigned char *point = end - decimals - 1;
    int64_t ticks = 0;
    if (point - at < 1 || point - at > 8 || *point != '.')
        return -1;
    for (; at < end; at++) {
        if (at == point)
            continue;
        unsigned digit = *at - '0';
        if (digit > 9)
            return -1;
        ticks = ticks * 10 + digit;
    }
    return ticks;
}

static Py_ssize_t scan(const unsigned char *at, const unsigned char *end, int64_t *ticks,
                       Py_ssize_t room, int width, int column, int decimals)
{
    Py_ssize_t rows = 0;
    while (at < end) {
        if (rows == room)
            return -1;
        for (int field = 0;; field++) {
            const unsigned char *start = at;
            while (kinds[*at] == PLAIN)
                at++;
            if (kinds[*at] == BAD)
                return -1;
            if (field == column && (ticks[rows] = close_ticks(start, at, decimals)) < 0)
                return -1;
            if (field == width - 1) {
                if (*at != '\n' || at == start)
                    return -1;
                break;
            }
            if (*at == '\n')
                return -1;
            at++;
        }
        at++;
        rows++;
    }
    return rows;
}

static PyObject *ticks(PyObject *self, PyObject *args)
{
    Py_buffer block, out;
    Py_ssize_t pad, rows = -1;
    int width, column, decimals;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*nw*iii", &block, &pad, &out, &width, &column, &decimals))
        return NULL;
    const unsigned char *bytes = block.buf;
    if (pad >= 0 && pad < block.len && bytes[block.len - 1] == '\n' && decimals > 0 && decimals < 9
        && pad >= decimals + 1) {
        Py_BEGIN_ALLOW_THREADS
        rows = scan(bytes + pad, bytes + block.len, out.buf, out.len / 8, width, column, decimals);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&block);
    PyBuffer_Release(&out);
    return PyLong_FromSsize_t(rows);
}

static PyMethodDef methods[] = {{"ticks", ticks, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "lane", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_lane(void)
{
    for (int byte = 0; byte < 256; byte++)
        kinds[byte] = byte < 32 || byte > 126 || byte == '"' ? BAD : PLAIN;
    kinds[','] = COMMA;
    kinds['\n'] = LINE_END;
    return PyModule_Create(&module);
}
