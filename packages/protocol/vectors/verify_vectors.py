#!/usr/bin/env python3
"""Signed service maps with Python's standard library alone, and a check of the vectors beside this file.

    python3 verify_vectors.py [FOLDER]

A publisher in Python may copy `canonical`, `signature_of` and `read_json`. Ed25519 is not in the standard library: those vectors are
counted as skipped (with the `cryptography` package it is `Ed25519PrivateKey.sign(canonical(unsigned).encode())`).
"""

import base64
import decimal
import hashlib
import hmac
import json
import math
import pathlib
import sys

MAX_DEPTH = 64
MAX_BYTES = 1_048_576
MAX_NODES = 100_000


class Refused(Exception):
    """There is no one meaning, so there is no canonical form."""


# --- canonical form (RFC 8785) ------------------------------------------------------------------------------------------------------


def canonical(value):
    """The text that is signed. Takes what `read_json` or `json.loads` returns."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return string(value)
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    if isinstance(value, dict):
        names = sorted(value, key=utf16)
        return "{" + ",".join(string(name) + ":" + canonical(value[name]) for name in names) + "}"
    raise Refused(f"JSON has no {type(value).__name__}")


def utf16(name):
    """Names are sorted by UTF-16 code units, not by code points as Python sorts: U+1F600 comes before U+E000."""
    return well_formed(name).encode("utf-16-be")


def string(text):
    # Python escapes U+007F by no means and control characters as RFC 8785 asks: short where there is a short form, else \u00xx.
    return json.dumps(well_formed(text), ensure_ascii=False)


def well_formed(text):
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Refused("half of a surrogate pair")
    return text


def number(value):
    """As ECMAScript writes a double: Python's repr finds the same shortest digits, only the layout differs."""
    double = float(value)
    if not math.isfinite(double):
        raise Refused("not a finite number")
    if isinstance(value, int) and int(double) != value:
        raise Refused("an integer that a double cannot carry")
    if double == 0:
        return "0"
    sign = "-" if double < 0 else ""
    mantissa, _, exponent = repr(abs(double)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    # The value is 0.DIGITS x 10^point.
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    power = f"e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return sign + digits[0] + ("." + digits[1:] if count > 1 else "") + power


# --- reading ------------------------------------------------------------------------------------------------------------------------


def read_json(text):
    """JSON that means the same to every reader: no name twice, none called __proto__, no number that a double changes, 64 levels at most."""
    if text.startswith("\ufeff"):
        raise Refused("a byte order mark")
    try:
        value = json.loads(text, object_pairs_hook=members, parse_int=read_number, parse_float=read_number, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise Refused("not JSON") from error
    if depth_of(value) > MAX_DEPTH:
        raise Refused("too deep")
    return value


def members(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("a member twice")
    if "__proto__" in found:
        raise Refused("a member that readers in JavaScript lose")
    return found


def read_number(text):
    double = float(text)
    if not math.isfinite(double):
        raise Refused("not a finite number")
    try:
        same = decimal.Decimal(text) == decimal.Decimal(repr(double))
    except decimal.InvalidOperation:
        same = False
    if not same:
        raise Refused("a number that a double cannot carry as it is written")
    return double


def constant(text):
    raise Refused(f"{text} is not JSON")


def nodes_of(value):
    """Values and member names."""
    nodes = 0
    waiting = [value]
    while waiting:
        item = waiting.pop()
        nodes += 1
        if isinstance(item, dict):
            nodes += len(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return nodes


def depth_of(value):
    deepest = 0
    waiting = [(value, 1)]
    while waiting:
        item, level = waiting.pop()
        if isinstance(item, (dict, list)):
            deepest = max(deepest, level)
            inner = item.values() if isinstance(item, dict) else item
            waiting.extend((each, level + 1) for each in inner)
    return deepest


# --- signature ----------------------------------------------------------------------------------------------------------------------


def signature_of(service_map, key):
    """HMAC-SHA256 over the canonical form of the map without `signature`, as base64url without padding."""
    unsigned = {name: member for name, member in service_map.items() if name != "signature"}
    digest = hmac.new(key, canonical(unsigned).encode("utf-8"), hashlib.sha256).digest()
    return base64url(digest)


def base64url(data):
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def is_signed(service_map, key):
    given = service_map.get("signature")
    if not isinstance(given, str) or not given.isascii():
        return False
    return hmac.compare_digest(given, signature_of(service_map, key))


def hmac_keys(ring):
    """(kid, key) of the HMAC keys; Ed25519 keys have no bytes here."""
    return [(jwk.get("kid"), decode(jwk["k"]) if jwk["kty"] == "oct" else None) for jwk in ring["keys"]]


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verdict_of(service_map, ring):
    """`ok`, `unsigned`, `unknown-key` or `signature`; `None` when only an Ed25519 key can tell."""
    signature = service_map.get("signature")
    if not isinstance(signature, str) or signature == "":
        return "unsigned"
    keys = hmac_keys(ring)
    if "kid" in service_map:
        candidates = [key for kid, key in keys if kid is not None and kid == service_map["kid"]]
    else:
        candidates = [key for _, key in keys if key is not None]
    if not candidates:
        return "unknown-key"
    if None in candidates:
        return None
    return "ok" if any(is_signed(service_map, key) for key in candidates) else "signature"


# --- the vectors --------------------------------------------------------------------------------------------------------------------


class Check:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.counts = {}
        self.failures = []
        self.skipped = 0

    def load(self, name):
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def expect(self, group, name, actual, expected):
        self.counts[group] = self.counts.get(group, 0) + 1
        if actual != expected:
            self.failures.append(f"{group}: {name}: expected {expected!r}, got {actual!r}")

    def canonical(self):
        vectors = self.load("canonical.json")
        for case in vectors["cases"]:
            self.expect("canonical", case["name"], canonical_of(case["json"]), case["canonical"])
        for case in vectors["refused"]:
            self.expect("refused", case["name"], canonical_of(case["json"]), None)

    def generated(self):
        vectors = self.load("generated.json")
        key = vectors["keyUtf8"].encode("utf-8")
        for at, case in enumerate(vectors["cases"]):
            self.expect("generated", at, canonical_of(case["json"]), case["canonical"])
            self.expect("generated signature", at, signature_of(read_json(case["json"]), key), case["signature"])

    def signatures(self):
        for case in self.load("hmac.json")["cases"]:
            service_map = read_json(case["json"])
            key = case["keyUtf8"].encode("utf-8")
            self.expect("hmac", case["name"], is_signed(service_map, key), case["valid"])
        self.skipped += len(self.load("ed25519.json")["cases"])

    def rings(self):
        vectors = self.load("key-rings.json")
        for case in vectors["cases"]:
            verdict = verdict_of(read_json(case["json"]), vectors["rings"][case["ring"]])
            if verdict is None:
                self.skipped += 1
            else:
                self.expect("key ring", case["name"], verdict, case["verdict"])

    def maps(self):
        """Only the rules up to the signature: schema and times are the gateway's to judge."""
        vectors = self.load("maps.json")
        for case in vectors["cases"]:
            rule = rule_of(body_of(case), vectors["ring"])
            if rule is None:
                self.skipped += 1
                continue
            later = case["verdict"] in ("accepted", "schema", "ttl", "future", "expired")
            self.expect("map", case["name"], rule, "ok" if later else case["verdict"])


def body_of(case):
    if "bodyBase64" in case:
        return base64.b64decode(case["bodyBase64"])
    times = case.get("times")
    return (case["body"] if times is None else case["body"].replace(times["text"], times["text"] * times["count"])).encode("utf-8")


def canonical_of(text):
    try:
        return canonical(read_json(text))
    except Refused:
        return None


def rule_of(body, ring):
    if len(body) > MAX_BYTES:
        return "size"
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return "encoding"
    if text.startswith("\ufeff"):
        return "encoding"
    try:
        service_map = read_json(text)
        if nodes_of(service_map) > MAX_NODES:
            return "size"
        if not isinstance(service_map, dict):
            return "json"
        canonical(service_map)
        return verdict_of(service_map, ring)
    except Refused:
        return "json"


def main():
    check = Check(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    for run in (check.canonical, check.generated, check.signatures, check.rings, check.maps):
        run()
    print(", ".join(f"{count} {group}" for group, count in check.counts.items()))
    print(f"{check.skipped} skipped: Ed25519 is not in Python's standard library")
    for failure in check.failures:
        print(failure, file=sys.stderr)
    return 1 if check.failures else 0


if __name__ == "__main__":
    sys.exit(main())
