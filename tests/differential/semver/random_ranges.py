"""Random constraints and lists of versions that are near to each other, so that the answer turns on a
part, a prerelease or a blank."""

OPERATORS = ["", "", "", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^", "^"]
PRE = ["alpha", "beta", "rc", "alpha.1", "beta.2", "beta.11", "rc.1", "0", "1", "10", "9", "x", "-",
       "a-b", "0a", "1.x.2", "20260101", "18446744073709551615", "18446744073709551616",
       "99999999999999999999", "100000000000000000000", "Beta", "pre.0"]
BUILD = ["1", "build.5", "exp.sha.5114f85", "001", "a-b", "20.x"]
WILD = ["x", "X", "*"]
BLANKS = [" ", "  ", "\t", " \n", "\f"]
ODD = ["01", "00", "1|2", "xx", "1x", "4294967296", "18446744073709551615", "18446744073709551616",
       "|", "-1", ""]
JUNK = ["", "|", "||", ",", " ", ".", "-", "+", "v", "=", "!", "<>", "==", "~^", "latest", "é", "\v",
        "(1.2.3)", "1.2.3 ||", "|| 1.2.3", "1.2.3,,1.2.4", ",1.2.3", "1.2.3,", "1.2.3 , 1.2.4",
        "1.2.3.4", "1.2.", "1..2", "1.2.3-", "1.2.3+", "1.2.3-a.", "1.2.3-01", "v v1.2.3", "V1.2.3",
        "> =1.2.3", ">1 - 2", "1 -2", "1- 2", "1 - 2 - 3", "1.2.3 1 - 2", "1.2.3, 1 - 2", "1 - 2 3",
        "1 - 2||3", "1.0.0 - 2.0.0||3.0.0", "3||1 - 2", "1 - 2 || 3 - 4", "1 - 2, 3 - 4", "1 - ^2",
        "1.2.x-beta", "x.1.2", "*.5", "1.x.3", "x-1", "*-0", "x.1|2", "1.x.|", "1.2.3-x.* - 2"]


def number(r):
    return str(r.choice([0, 0, 1, 1, 2, 2, 3, 9, 10, 11]))


def label(r):
    text = "-" + r.choice(PRE) if r.random() < 0.35 else ""
    return text + ("+" + r.choice(BUILD) if r.random() < 0.12 else "")


def version(r, odd=0.02):
    parts = [r.choice(ODD) if r.random() < odd else number(r)
             for _ in range(r.choices([1, 2, 3, 4], [1, 2, 16, odd * 10])[0])]
    return ("v" if r.random() < 0.2 else "") + ".".join(parts) + label(r)


def spelled(r):
    """A version as constraints have it."""
    if r.random() < 0.4:
        return version(r)
    parts = [r.choice(WILD) if r.random() < 0.35 else number(r) for _ in range(r.randint(1, 3))]
    if r.random() < 0.03:
        parts[r.randrange(len(parts))] = r.choice(ODD)
    return ("v" if r.random() < 0.1 else "") + ".".join(parts) + (label(r) if r.random() < 0.3 else "")


def blank(r, none):
    return "" if r.random() < none else r.choice(BLANKS)


def comparator(r):
    if r.random() < 0.2:
        return f"{spelled(r)}{blank(r, 0.02)}-{blank(r, 0.02)}{spelled(r)}"
    return blank(r, 0.9) + r.choice(OPERATORS) + blank(r, 0.7) + spelled(r)


def group(r):
    text = comparator(r)
    for _ in range(r.choices([0, 1, 2], [6, 3, 1])[0]):
        text += r.choice([",", ", ", " ", " , ", "  ", ",\t"]) + comparator(r)
    return text


def constraint(r):
    if r.random() < 0.04:
        return r.choice(JUNK)
    if r.random() < 0.01:
        return long_one(r)
    ors = [group(r) for _ in range(r.choices([1, 2, 3], [6, 3, 1])[0])]
    text = ors[0]
    for more in ors[1:]:
        text += blank(r, 0.4) + "||" + blank(r, 0.4) + more
    if r.random() < 0.06:
        at = r.randrange(len(text) + 1)
        text = text[:at] + r.choice("|, .-+v=!<>~^xX*019a\t") + text[at + r.randint(0, 1):]
    return text


def long_one(r):
    """At the limits of length and of groups."""
    if r.random() < 0.4:
        return "||".join(["1.2.3"] * r.choice([31, 32, 33, 34]))
    if r.random() < 0.5:
        return "1.2.3" + " " * r.choice([506, 507, 508])
    return "1.2.3-" + "a" * r.choice([249, 250, 251, 252, 300])


def make(r):
    text = constraint(r)
    versions = [r.choice(JUNK) if r.random() < 0.02 else version(r) for _ in range(8)]
    # Neighbours of what the constraint names.
    named = [w for w in text.replace("|", " ").replace(",", " ").split() if w[-1:].isalnum()]
    for _ in range(4 if named else 0):
        near = r.choice(named).lstrip("=!<>~^").replace("x", number(r)).replace("*", number(r))
        versions.append(near if r.random() < 0.5 else near.split("-")[0].split("+")[0] + label(r))
    if r.random() < 0.02:
        versions.append("1.2.3-" + "a" * r.choice([249, 250, 251]))
    return {"constraint": text, "versions": versions}
