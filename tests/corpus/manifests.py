"""Manifests as table programs, scripts and Windows write them. Beside each lies `x.nii`."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.corpus.case import Cases, adder, nifti, put

MANIFESTS: Cases = {}
"""`ml` is the number of scans that are right."""
add = adder(MANIFESTS)
ROWS = "subject,image\na,x.nii\nb,x.nii\n"


def simple(name: str, content: str | bytes, file: str = "m.csv", **right: object) -> None:
    """Add a manifest of this text."""

    def make(folder: Path) -> Path:
        put(folder / "x.nii", nifti())
        text = content.replace("HERE", str(folder)) if isinstance(content, str) else content
        return put(folder / file, text.encode() if isinstance(text, str) else text)

    add(name, **right)(make)


simple("plain", ROWS, ml=2)
simple("a byte order mark", "\ufeff" + ROWS, ml=2)
simple("semicolons", ROWS.replace(",", ";"), ml=2)
simple("tabs", ROWS.replace(",", "\t"), ml=2)
simple("a byte order mark and semicolons", "\ufeff" + ROWS.replace(",", ";"), ml=2)
simple("lines as Windows ends them", ROWS.replace("\n", "\r\n"), ml=2)
simple("lines as an old Mac ends them", ROWS.replace("\n", "\r"))
simple("no end of the last line", ROWS.rstrip(), ml=2)
simple("empty lines", "\n" + ROWS.replace("\n", "\n\n,\n"), ml=2)
simple("everything quoted", '"subject","image"\n"a","x.nii"\n', ml=1)
simple("a comma in quotes", 'subject,image,notes\na,x.nii,"one, two"\n', ml=1)
simple("a new line in quotes", 'subject,image,notes\na,x.nii,"one\ntwo"\n', ml=1)
simple("spaces around the cells", "subject , image\n a , x.nii \n", ml=1)
simple("columns in capitals", ROWS.replace("subject,image", "Subject,IMAGE"), ml=2)
simple("further columns", "id,subject,image,age\n1,a,x.nii,50\n", ml=1)
simple("an index without a name", ",subject,image\n0,a,x.nii\n1,b,x.nii\n", ml=2)
simple("a suffix in capitals", ROWS, "M.CSV", ml=2)
simple("an absolute path", "subject,image\na,HERE/x.nii\n", ml=1)
simple("a path as Windows writes it", "subject,image\na,.\\x.nii\n", ml=1)
simple("a path with ..", "subject,image\na,../given/x.nii\n")
simple("names in many letters", "subject,image\nJörg,x.nii\n患者,x.nii\nمريض,x.nii\n", ml=3)
simple("a subject that looks like a path", "subject,image\n../../a,x.nii\n/etc,x.nii\n", ml=2)
simple("a formula", "subject,image\n=1+1,x.nii\n", ml=1)
simple("subjects that are numbers", "subject,image\n001,x.nii\n1,x.nii\n", ml=2)
simple("words that pandas takes for none", "subject,image\nNA,x.nii\nnull,x.nii\n", ml=2)
simple("a channel", "subject,image,channel\na,x.nii,0\n", ml=1)
simple("ten scans of a subject", "subject,image\n" + "a,x.nii\n" * 10, ml=10)

simple("empty", "", says="no scans")
simple("a header alone", "subject,image\n", says="no scans")
simple("no column subject", "image\nx.nii\n", says="subject")
simple("no column image", "subject,file\na,x.nii\n", says="image")
simple("a column twice", "subject,image,image\na,x.nii,x.nii\n", says="twice")
simple("a cell too many", "subject,image\na,x.nii,more\n", says="more cells")
simple("a cell too few", "subject,image\na\n", says="image")
simple("no subject", "subject,image\n,x.nii\n", says="subject")
simple("a quote too few", 'subject,image\n"a,x.nii\n', says="csv|quote")
simple("no such image", "subject,image\na,y.nii\n", says="y.nii")
simple("a drive of Windows", "subject,image\na,C:\\scans\\x.nii\n", says="not there")
simple("a network drive", "subject,image\na,\\\\server\\scans\\x.nii\n", says="not there")
simple("an address", "subject,image\na,https://example.org/x.nii\n", says="not there")
simple("a folder for an image", "subject,image\na,.\n", says="m.csv")
simple("a path beyond all length", f"subject,image\na,{'x' * 5000}.nii\n", says="m.csv")
simple("a zero byte in a path", "subject,image\na,x\0.nii\n", says="m.csv")
simple("a scan twice", "subject,scan,image\na,s,x.nii\nb,s,x.nii\n", says="two scans")
simple("an unknown group", "subject,image,group\na,x.nii,sick\n", says="group")
simple("a channel that is a word", "subject,image,channel\na,x.nii,red\n", says="channel")
simple("a channel that is a superscript", "subject,image,channel\na,x.nii,²\n", says="channel")
simple("a channel below 0", "subject,image,channel\na,x.nii,-1\n", says="channel")
simple("a channel beyond all", "subject,image,channel\na,x.nii,99999999999999999999\n")
simple("UTF-16", ROWS.encode("utf-16"), says="utf-8")
simple("Latin-1", "subject,image\nJörg,x.nii\n".encode("latin-1"), says="utf-8")
simple("a workbook", b"PK\3\4\x14\0\6\0\x08\0\0\0!\0\xff" + bytes(99), says="m.csv")
simple("gzipped", gzip.compress(ROWS.encode()), says="m.csv")
simple("zero bytes", bytes(1000), says="m.csv")
simple("JSON", '{"subject": "a", "image": "x.nii"}\n', says="m.csv")
simple("a cell of a megabyte", f"subject,image,notes\na,x.nii,{'x' * 10**6}\n")
simple("thousands of columns", "subject,image," + ",".join(f"c{n}" for n in range(5000))
       + "\na,x.nii\n", ml=1)  # fmt: skip
