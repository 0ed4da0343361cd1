#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lints of the sources that no common tool has: source.py NAME; prints file:line: reason, exits 1 if there was any."""
import json
import pathlib
import re
import subprocess
import sys

FOLDERS = ["base", "oci", "registry", "runtime", "provision", "cmd"]

# Who may include whom: the layers of doc/design.md.
MAY_INCLUDE = {
    "base": {"base"},
    "oci": {"oci", "base"},
    "registry": {"registry", "oci", "base"},
    "runtime": {"runtime", "base"},
    "provision": {"provision", "registry", "oci", "runtime", "base"},
    "cmd": set(FOLDERS),
}
# A library is known to one file.
THIRD_PARTY = [
    (r"curl/", "base/http.c"),
    (r"archive(_entry)?\.h$", "oci/layer_reader.c"),
    (r"yajl/", "base/json.c"),
    (r"openssl/", "base/digest.c"),
    (r"(zlib|zstd)\.h$", "base/decompress.c"),
    (r"seccomp\.h$", "runtime/seccomp.c"),
    (r"sys/capability\.h$", "runtime/caps.c"),
]
FUNCTION_LINES = 80
FILE_LINES = 650
BANNED = (
    "strcpy strcat sprintf vsprintf strtok atoi atol gets mktemp system popen alloca sleep usleep chmod chown lchown "
    "getpwnam getpwuid getgrnam getgrgid getpwent getgrent getgrouplist initgroups gethostbyname pthread_create"
).split()


def sources(*suffixes, tests=False):
    for folder in FOLDERS + (["tests"] if tests else []):
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path


def code_only(text):
    """The text with comments and strings blanked, lines kept."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, blank, text, flags=re.S)


def lint_includes():
    for path in sources(".c", ".h"):
        layer = path.parts[0]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if not match:
                continue
            bracket, name = match.groups()
            if bracket == '"':
                first = name.split("/")[0]
                if "/" not in name or first not in FOLDERS:
                    yield path, number, f'"{name}" is not rooted at the top of the tree'
                elif first not in MAY_INCLUDE[layer]:
                    yield path, number, f"{layer}/ must not include {first}/"
                continue
            for pattern, owner in THIRD_PARTY:
                if re.match(pattern, name) and str(path) != owner:
                    yield path, number, f"<{name}> belongs to {owner} alone"


def lint_banned():
    calls = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
    handler = re.compile(r"sa_(?:handler|sigaction)\s*=(?!\s*SIG_)|\bsignal\s*\([^,]+,(?!\s*SIG_)")
    for path in sources(".c", ".h"):
        for number, line in enumerate(code_only(path.read_text()).splitlines(), 1):
            for match in calls.finditer(line):
                yield path, number, f"{match.group(1)}() is banned"
            if handler.search(line) and path.parts[0] != "cmd":
                yield path, number, "a signal handler: use signalfd"


def lint_length():
    for path in sources(".c", ".h", tests=True):
        count = path.read_text().count("\n")
        if count > FILE_LINES:
            yield path, count, f"file of {count} lines (limit {FILE_LINES}): split it by noun"
    files = [str(path) for path in sources(".c", ".h")]
    if not files:
        return
    command = ["ctags", "--output-format=json", "--fields=+ne", "--kinds-C=f", "-o", "-"] + files
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        tag = json.loads(line)
        if tag.get("_type") != "tag" or "end" not in tag:
            continue
        lines = tag["end"] - tag["line"] + 1
        if lines > FUNCTION_LINES:
            yield tag["path"], tag["line"], f'{tag["name"]}() has {lines} lines (limit {FUNCTION_LINES})'


def lint_headers():
    """Each function in a header has its contract before it: a comment in the same paragraph."""
    declaration = re.compile(r"^[A-Za-z_][\w\s*]*?\b(\w+)\s*\(")
    for path in sources(".h"):
        text = path.read_text()
        code = code_only(text).splitlines()
        depth, commented, statement = 0, False, ""
        for number, (line, bare) in enumerate(zip(text.splitlines(), code), 1):
            if not line.strip() and depth == 0:
                commented = False
            if re.match(r"\s*(/\*|//)", line):
                commented = True
            if bare.lstrip().startswith("#"):
                continue
            if depth == 0 and not statement and bare.strip():
                statement, start = bare, number
            elif statement:
                statement += " " + bare.strip()
            depth += bare.count("{") + bare.count("(") - bare.count("}") - bare.count(")")
            if depth == 0 and statement and (";" in bare or "}" in bare):
                match = declaration.match(statement)
                plain = not re.match(r"\s*(static|typedef|DEFINE_)", statement)
                # x_done() and x_free() are the same everywhere: doc/design.md says what they do.
                plain = plain and not re.search(r"\bvoid \w+_(done|free)\(", statement)
                if match and plain and "{" not in statement and not commented:
                    yield path, start, f"{match.group(1)}() has no comment before it"
                statement = ""
            if depth == 0 and re.match(r"^[A-Z_]+\([^;]*\)\s*$", statement):
                statement = ""


def lint_spdx():
    paths = list(sources(".c", ".h", ".py", ".bats", ".bash", ".sh", tests=True))
    for extra in ["Makefile", ".ci/run", "tests/run", "tests/setup", "tests/bench/run", "tests/lint/run"]:
        paths.append(pathlib.Path(extra))
    paths += sorted(pathlib.Path("mk").iterdir())
    for path in paths:
        if not path.is_file():
            continue
        lines = path.read_text().splitlines() + ["", "", ""]
        first = 1 if lines[0].startswith("#!") else 0
        if "SPDX-License-Identifier: MIT" not in lines[first]:
            yield path, first + 1, "no SPDX-License-Identifier: MIT on the first line"
        elif path.suffix in (".c", ".h") and not re.match(r"(//|/\*)", lines[first + 1]):
            yield path, first + 2, "no comment that says what this file owns"


def main():
    lints = {name[5:]: function for name, function in globals().items() if name.startswith("lint_")}
    found = 0
    for path, line, reason in lints[sys.argv[1]]():
        print(f"{path}:{line}: {reason}")
        found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
