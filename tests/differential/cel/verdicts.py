"""What two evaluators must agree on, and the differences that are meant."""
import re

# (pattern of the expression, why).
EXPLAINED = [
    (r"\[\?n\]", "upstream's validator crashes on a marked item that is no optional"),
    (r"google\.protobuf\.Duration\{", "messages are not built"),
    (r"^quantity\('1'\)$", "a quantity alone has no text here"),
    (r"^'%f'\.format\(\[1\]\)$", "upstream writes Go's complaint about the verb into the text"),
    (r"\.find\('\('\)", "upstream's Flux has no find() to complain about its pattern"),
]
# Words of their own: regular expressions' and parsers' complaints, what Go calls an address.
WORDS = (r"regexp|token recognition|Syntax error|ParseAddr|ParsePrefix|unable to parse|time zone|"
         r"location name|number|base64|reserved|PreRelease|network address|URL|no such overload|"
         r"unsupported index|parse error|no such attribute|unknown type|out of range|"
         r"undeclared reference to '(o\.a|Foo|foo\.Bar)'")


def is_explained(expr):
    return any(re.search(pattern, expr) for pattern, _ in EXPLAINED)


def verdict(answer, parse_only):
    """Refused, failed, or the value with its static type."""
    if "panic" in answer:
        return ("panic",)
    if "compile" in answer:
        return ("refused",)
    if "error" in answer:
        return ("failed",)
    return ("value", answer["value"], None if parse_only else answer["type"])


def words(answer):
    text = answer.get("compile") or answer.get("error") or ""
    text = re.sub("^program: ", "", text)
    return None if re.search(WORDS, text) else text
