"""Tagged PDF (PDF/UA-1) from HTML, by WeasyPrint; needs the extra `pdf` and Pango."""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """Return whether WeasyPrint and the system's Pango can be loaded."""
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


def tagged_pdf(html: str, title: str) -> bytes:
    """Return a tagged PDF of a whole HTML document.

    Parameters
    ----------
    html : with its styles inside; nothing is fetched from anywhere
    title : for the document's metadata, where the HTML has none

    Raises
    ------
    ValueError
        The HTML names something outside itself.
    """
    import weasyprint

    if "<title>" not in html:
        html = html.replace("<head>", f"<head><title>{title}</title>", 1)
    document = weasyprint.HTML(string=html, url_fetcher=_fetch_nothing)
    return bytes(document.write_pdf(pdf_variant="pdf/ua-1"))


def _fetch_nothing(url: str, *_: Any, **__: Any) -> Any:
    # A pack is whole in itself: an address in it would be a leak, so it is refused, not fetched.
    raise ValueError("Got a document that names something outside itself, but nothing is fetched.")
