"""Random documents of each format that sops encrypts."""
import json

WORDS = ["a", "b1", "data", "secret_enc", "note_unencrypted", "x.y", "with space", "on", "n", "12",
         "é", "a:b", "-", "#k", "null", "~", "<<x", "k/z", "true"]
STRINGS = ["", "x", "plain text", " lead", "trail ", "two\nlines", "end\n", "\n", "\n\nx", "a\n\n",
           "tab\tin", "tab\tand\nline\n", "é ü 漢", "\U0001f600", "yes", "No", "null", "~", "1",
           "1.5", "0x1f", "012", "1e3", "2020-01-02", "true", "- item", "a: b", "# no comment",
           "x # y", "'single'", '"double"', "back\\slash", "\\n", "*star", "&and", "!bang", "%p",
           "@at", "`tick`", "{a}", "[a]", "a,b", "?", "? q", "-", "--- x", "...", "x" * 200,
           "long words " * 20, "  indented\n    more\n", "a\r\nb", "\u2028", "\x07", "12:30:45",
           "=", "<<", ">fold", "|pipe", "a \n b", "\ufeffbom", "ctrl\x1b", "a:"]
SCALARS = ["1", "-7", "0", "9223372036854775807", "1.5", "-0.25", "1e3", "1e-7", "123456789.0",
           "1e21", "0.1", "true", "false", "null", "~", "", "0x1F", "0o17", "012", "1_000", "yes",
           "on", "2020-01-02", "2020-01-02T03:04:05Z", "2020-01-02T03:04:05.5+02:00", ".5", "1.0",
           "plain", "with space", "2001-1-1", "100000.0", "1000000.0", "'q'", '"e\\tsc"', ".inf",
           "-.Inf", "+5", "0b11", "1__0", "12e", "- x" if False else "x-y", "1:30", "=", "!!str 5",
           "!!float 5", "!!binary aGk=", "!!binary /w=="]


class Maker:
    def __init__(self, rng):
        self.rng = rng

    def key(self, seen):
        while True:
            key = self.rng.choice(WORDS) + (str(self.rng.randrange(9)) if seen else "")
            if key not in seen:
                seen.add(key)
                return key

    def text(self):
        pick = self.rng.random()
        if pick < 0.7:
            return self.rng.choice(STRINGS)
        # A first line of a tab alone becomes null in the real sops, which loses the value.
        return "".join(self.rng.choice("ab \n\t:#-'\"\\é,[]{}|>&*!%@`0.") for _ in
                       range(self.rng.randrange(1, 12))).replace("\t\n", "\t")

    def value(self, depth):
        pick = self.rng.random()
        if depth < 3 and pick < 0.25:
            return self.mapping(depth + 1)
        if depth < 3 and pick < 0.4:
            return [self.value(depth + 1) for _ in range(self.rng.randrange(4))]
        if pick < 0.5:
            return self.rng.choice([1, -5, 2**53 + 1, 1.5, 1e-7, 1e22, 0.1, True, False, None,
                                    123456.5])
        return self.text()

    def mapping(self, depth=0):
        seen = set()
        return {self.key(seen): self.value(depth) for _ in range(self.rng.randrange(1, 6))}

    # --- formats ---------------------------------------------------------------------------------

    def json(self):
        return json.dumps(self.mapping(), ensure_ascii=self.rng.random() < 0.5)

    def dotenv(self):
        lines = []
        for i in range(self.rng.randrange(1, 8)):
            if self.rng.random() < 0.2:
                lines.append("#" + self.text().replace("\n", " "))
            value = self.text().replace("\n", self.rng.choice(["\\n", " "])).replace("\r", "")
            lines.append(f"{self.rng.choice(['K', 'key ', 'x_unencrypted', 'é'])}{i}={value}")
        return "\n".join(lines) + self.rng.choice(["", "\n", "\n\n"])

    def ini(self):
        lines = []
        for section in range(self.rng.randrange(0, 4)):
            if section:
                self.ini_comment(lines)
                lines.append(f"[section {section}{self.rng.choice(['', '_unencrypted'])}]")
            for i in range(self.rng.randrange(0, 4)):
                self.ini_comment(lines)
                name = self.rng.choice(["k", "long_name", "with space", "a.b", "x_unencrypted"])
                value = self.text().replace("\x00", "").replace("\r", "")
                if "\n" in value or "`" in value or self.rng.random() < 0.2:
                    value = f'"""{value}"""'
                lines.append(f"{name}{i}{self.rng.choice(['=', ' = ', ': '])}{value}")
            if self.rng.random() < 0.5:
                lines.append("")
        return "\n".join(lines) + "\n"

    def ini_comment(self, lines):
        for _ in range(self.rng.choice([0, 0, 0, 1, 2])):
            lines.append(self.rng.choice(["; ", "# ", ";", "#"]) +
                         self.rng.choice(["a note", "x", "; more", "é"]))

    def binary(self):
        return bytes(self.rng.randrange(256) for _ in range(self.rng.randrange(0, 200)))

    def yaml(self):
        lines = []
        for document in range(self.rng.choice([1, 1, 1, 2, 3])):
            if document:
                lines.append("---")
            self.yaml_mapping(lines, "", 0)
        return "\n".join(lines) + "\n"

    def comment(self, lines, indent):
        if self.rng.random() < 0.15:
            lines.append(f"{indent}#{self.rng.choice([' a note', 'x', ' sops:enc', ' é'])}")

    def scalar(self):
        if self.rng.random() < 0.5:
            return self.rng.choice(SCALARS)
        return json.dumps(self.text().replace("\x00", ""), ensure_ascii=False).replace(
            "\u2028", "\\u2028").replace("\ufeff", "\\ufeff").replace("\x7f", "")

    def yaml_mapping(self, lines, indent, depth):
        seen = set()
        for _ in range(self.rng.randrange(1, 6)):
            self.comment(lines, indent)
            head = f"{indent}{json.dumps(self.key(seen), ensure_ascii=False)}:"
            self.yaml_value(lines, head, indent, depth)

    def yaml_value(self, lines, head, indent, depth):
        pick, inner = self.rng.random(), indent + self.rng.choice(["  ", "    "])
        if depth < 3 and pick < 0.25:
            lines.append(head)
            self.yaml_mapping(lines, inner, depth + 1)
        elif depth < 3 and pick < 0.4:
            lines.append(head)
            for _ in range(self.rng.randrange(1, 4)):
                self.comment(lines, inner)
                self.yaml_item(lines, inner, depth + 1)
        elif pick < 0.45:
            lines.append(head + self.rng.choice([" {}", " []", " [a, 1]", " {a: 1}"]))
        elif pick < 0.55:
            lines.append(head + self.rng.choice([" |", " |-", " >", " |+"]))
            lines += [inner + "text", inner + "  more", inner + "end"]
        else:
            note = self.rng.choice(["", "", "", "", " # inline", " # sops:enc"])
            lines.append(f"{head} {self.scalar()}{note}")

    def yaml_item(self, lines, indent, depth):
        if depth < 3 and self.rng.random() < 0.3:
            nested = []
            self.yaml_mapping(nested, indent + "  ", depth + 1)
            first = next(i for i, line in enumerate(nested) if not line.strip().startswith("#"))
            del nested[:first]
            lines.append(f"{indent}- {nested[0].strip()}")
            lines += nested[1:]
        else:
            lines.append(f"{indent}- {self.scalar()}")
