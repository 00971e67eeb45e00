"""Of which requests of the hand-written scripts the replies differ, by the request's number: WORDS, only
in texts that are Go's or its libraries' own, while code and reason are the same; APART, for a reason
that docs/differences.md gives. One that does not differ any more is told by its test."""

WORDS = {
    "A8 tokens of accounts": (12, 23), "A10 reviews of access": (6, 7, 9, 11),
    "A11 impersonation needs the right": (6, 7, 8, 9),
    "A13 generateName": (3, 6, 7, 11, 12), "A18 stale PUT": (16,), "A21 PUT of what is absent": (16,),
    "A34 apply without a manager": (4, 9), "A52 immutable fields": (12, 24),
    "A53 stringData": (14,), "A54 pages": (18,), "A66 preconditions": (11, 12, 13, 15, 16),
    "A72 definitions": (9, 16), "A79 tables": (29,), "A60 watch list": (8,),
    "A76 breaches": (15,), "A72 schemas": (12, 20, 21),
}

MEDIA = "media types of discovery, and views of the other shape"
APART = {
    "A4 aggregated discovery": {MEDIA: (2, 5)},
    "A5 legacy discovery": {MEDIA: (23, 24)},
    "A21 PUT of what is absent": {"empty texts of Events, empty lists": (10, 22)},
    "A31 directives of strategic merge patch": {"an order that is no list": (11,)},
    "A57 watches": {"the old way to watch": (17,)},
    "A60 watch list": {"the oracle's etcd 3.4 has no progress of watches": (3, 4, 5)},
    "A76 breaches": {"managed fields of what is no object": (16,)},
    "A79 tables": {MEDIA: (7, 12, 13)},
}
