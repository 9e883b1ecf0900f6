"""Pango and cairo, as much of their C interfaces as drawing a line of text needs."""

from ctypes.util import find_library
from typing import Any, Final

from cffi import FFI

ffi: Final[Any] = FFI()
ffi.cdef("""
    typedef struct cairo_surface cairo_surface_t;
    typedef struct cairo cairo_t;
    cairo_surface_t *cairo_image_surface_create(int format, int width, int height);
    unsigned char *cairo_image_surface_get_data(cairo_surface_t *surface);
    void cairo_surface_flush(cairo_surface_t *surface);
    void cairo_surface_destroy(cairo_surface_t *surface);
    cairo_t *cairo_create(cairo_surface_t *target);
    void cairo_set_source_rgb(cairo_t *context, double red, double green, double blue);
    void cairo_paint(cairo_t *context);
    void cairo_move_to(cairo_t *context, double x, double y);
    void cairo_destroy(cairo_t *context);

    typedef struct PangoLayout PangoLayout;
    typedef struct PangoFontDescription PangoFontDescription;
    typedef struct PangoContext PangoContext;
    typedef struct PangoLanguage PangoLanguage;
    typedef struct { int x; int y; int width; int height; } PangoRectangle;
    PangoFontDescription *pango_font_description_from_string(const char *families);
    void pango_font_description_set_absolute_size(PangoFontDescription *font, double size);
    void pango_font_description_free(PangoFontDescription *font);
    PangoLayout *pango_cairo_create_layout(cairo_t *context);
    PangoContext *pango_layout_get_context(PangoLayout *layout);
    PangoLanguage *pango_language_from_string(const char *language);
    void pango_context_set_language(PangoContext *context, PangoLanguage *language);
    void pango_layout_set_font_description(PangoLayout *layout, const PangoFontDescription *font);
    void pango_layout_set_text(PangoLayout *layout, const char *text, int length);
    void pango_layout_set_width(PangoLayout *layout, int width);
    void pango_layout_set_ellipsize(PangoLayout *layout, int where);
    void pango_layout_get_extents(PangoLayout *layout, PangoRectangle *ink, PangoRectangle *logical);
    int pango_layout_get_unknown_glyphs_count(PangoLayout *layout);
    void pango_cairo_show_layout(cairo_t *context, PangoLayout *layout);
    void g_object_unref(void *object);
""")

FORMAT_ARGB32: Final = 0
ELLIPSIZE_END: Final = 3
SCALE: Final = 1024
"""Pango's units in a pixel."""

try:
    # The linker finds what it stands on, Pango, cairo and GObject, by the same handle.
    lib: Final[Any] = ffi.dlopen(find_library("pangocairo-1.0") or "libpangocairo-1.0.so.0")
except OSError as error:
    raise ImportError(
        "Pango is missing, which draws names: install libpangocairo-1.0-0 (Debian) or pango (Homebrew)"
    ) from error
