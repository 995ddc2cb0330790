"""Checks the vectors beside it with none of udpchat's code: `python check.py`; it needs cbor2 and cryptography.

What is accepted is made again from its inputs; what is refused is looked at where that is short, and else counted.
"""

import hmac
import json
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as Signer
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey as Exchanger
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305 as Aead

HPKE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
SIZES = {1: (67, 67), 2: (67, 67), 3: (291, 339), 4: (59, 59), 5: (34, 1200), 6: (181, 1048), 7: (19, 1187)}
TEXTS = ["name", "names", "name_asked", "rotated_name", "after", "text", "message", "kind", "step", "from", "wrong"]
TEXTS += ["reason", "safety_number"]
FILES = {path.stem: json.loads(path.read_text("utf-8")) for path in Path(__file__).parent.glob("*.json")}
done: list[str] = []


def read(v: Any, name: str = "") -> Any:  # noqa: ANN401 - any JSON; what is no text is bytes in hexadecimal
    if isinstance(v, dict):
        return {key: read(item, key) for key, item in v.items()}
    if isinstance(v, list):
        return [read(item, name) for item in v]
    return bytes.fromhex(v) if isinstance(v, str) and name not in TEXTS else v


def take(file: str, section: str) -> Iterator[Any]:
    for v in FILES[file].pop(section):
        done.append(f"{file}.json, {section}: {v.get('name') or v['wrong']}")
        yield read(v)


def same(said: object, right: object) -> None:
    if said != right:
        raise SystemExit(f"{done[-1]}: says {said!r}, right is {right!r}")


def cbor(v: Any, whole: bool = True) -> Any:  # noqa: ANN401 - a body or messages as `whole`, or what is in them
    v = [item for name, item in v.items() if name != "message"] if isinstance(v, dict) else v
    v = [cbor(item, False) for item in v] if isinstance(v, list) else v
    return cbor2.dumps(v, canonical=True) if whole else v


def hashed(purpose: bytes, data: bytes, size: int = 16) -> bytes:
    return sha256(b"udpchat/1 " + purpose + b"\0" + data).digest()[:size]


def token(secret: bytes, address: dict[str, Any], now_s: int) -> bytes:
    place = (now_s // 60).to_bytes(8, "big") + address["port"].to_bytes(2, "big") + address["host"]
    return hmac.digest(secret, b"udpchat/1 token\0" + place, "sha256")[:16]


def half_number(identity: bytes) -> str:
    h = b""
    for _ in range(5200):
        h = sha256(b"udpchat/1 safety number\0" + h + identity).digest()
    return "".join(f"{int.from_bytes(h[at : at + 5], 'big') % 100_000:05}" for at in range(0, 30, 5))


def dh(private: bytes, remote: bytes = (9).to_bytes(32, "little")) -> bytes:  # with the base point: the public key
    return Exchanger.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(remote))


def hkdf(chain: bytes, material: bytes) -> tuple[bytes, bytes]:
    extracted = hmac.digest(chain, material, "sha256")
    first = hmac.digest(extracted, b"\1", "sha256")
    return first, hmac.digest(extracted, first + b"\2", "sha256")


for v in [*take("datagrams", "accepted"), *take("datagrams", "refused")]:
    data = v["datagram"]
    least, most = SIZES.get(data[2], (1, 0)) if data[:2] == b"u\1" and len(data) > 2 else (1, 0)
    fits = least <= len(data) <= most and (data[2] != 1 or not any(data[19:])) and (data[2] != 7 or len(data) % 16 == 3)
    same("reason" not in v, fits)
    if fits:
        parts = [b"".join(part) if isinstance(part, list) else part for part in v["fields"].values()]
        same(data, b"u\1" + bytes((v["type"],)) + b"".join(parts))

for v in take("messages", "accepted"):
    same(v["plaintext"], cbor(v["messages"]))

for v in take("derived", "key_ids"):
    same((v["public"], v["key_id"]), (dh(v["private"]), hashed(b"key id", v["public"], 4)))
for v in take("derived", "acks"):
    same((v["ack"], v["slot"]), (hashed(b"ack", v["secret"]), hashed(b"slot", v["secret"])))
for v in take("derived", "safety_numbers"):
    same(v["safety_number"], "".join(map(half_number, sorted((v["one"], v["other"])))))
for v in take("derived", "tokens_accepted"):
    same(v["token"], token(v["secret"], v["address"], v["made_s"]))
for v in take("derived", "tokens_refused"):
    same(v["token"] in [token(v["secret"], v["address"], v["now_s"] - ago) for ago in (0, 60)], False)

for v in take("cards", "accepted"):
    signer, body = Signer.from_private_bytes(v["I_private"]), cbor(v["body"])
    same(v["body"]["identity"], signer.public_key().public_bytes_raw())
    same(v["card"], signer.sign(b"udpchat/1 card\0" + body) + body)

for v in take("cards", "rotations"):
    signer, what = Signer.from_private_bytes(v["former_private"]), v["identity"] + v["rotated_name"].encode()
    same(v["former"], signer.public_key().public_bytes_raw())
    same(v["signature"], signer.sign(b"udpchat/1 rotation\0" + what))

for v in take("letters", "accepted"):
    signer, body = Signer.from_private_bytes(v["sender_I_private"]), cbor(v["body"])
    info = b"udpchat/1 letter\0" + v["recipient"]
    same(v["body"]["sender"], signer.public_key().public_bytes_raw())
    same(v["plaintext"], signer.sign(info + v["recipient_key"] + body) + body)
    same(v["letter"][:39], b"u\1\6" + hashed(b"key id", v["recipient_key"], 4) + dh(v["ephemeral_private"]))
    opener = next(private for private in v["keys"] if dh(private) == v["recipient_key"])
    same(v["plaintext"], HPKE.decrypt(v["letter"][7:], Exchanger.from_private_bytes(opener), info))
    same((v["ack"], v["slot"]), (hashed(b"ack", v["body"]["secret"]), hashed(b"slot", v["body"]["secret"])))

for v in take("link", "handshakes"):
    live, e, index = v["client"]["L_private"], v["client"]["ephemeral_private"], v["client"]["index"]
    s, re = v["server"]["S_private"], v["server"]["ephemeral_private"]
    clear = b"u\1\3" + token(v["token_secret"], v["address"], v["now_s"]) + index
    same(v["hello"], b"u\1\1" + v["hello"][3:19] + bytes(48))
    same(v["retry"], b"u\1\2" + v["hello"][3:19] + clear[3:19] + dh(s))
    script = [("hash", b"udpchat/1 link\0" + dh(s) + clear), ("hash", dh(s)), ("hash", dh(e)), ("key", dh(e, dh(s)))]
    script += [("seal", dh(live)), ("key", dh(live, dh(s))), ("seal", v["card"]), ("hash", dh(re))]
    script += [("key", dh(re, dh(e))), ("key", dh(re, dh(live))), ("seal", v["server"]["index"])]
    h = ck = b"Noise_IK_25519_ChaChaPoly_SHA256"
    k, sealed = b"", []
    for step, (how, data) in zip(v["noise"], script, strict=True):
        if how == "key":
            ck, k = hkdf(ck, data)
        else:
            sealed.append(Aead(k).encrypt(bytes(12), data, h) if how == "seal" else data)
            h = sha256(h + sealed[-1]).digest()
        same((step["h"], step["ck"], step["k"]), (h, ck, k))
    same(v["init"], clear + b"".join(sealed[2:5]))
    same(v["resp"], b"u\1\4" + index + b"".join(sealed[5:]))
    same((v["client_key"], v["server_key"]), hkdf(ck, b""))
    for r in v["records"]:
        aead, to = Aead(v[f"{r['from']}_key"]), "server" if r["from"] == "client" else "client"
        clear, nonce = b"u\1\5" + v[to]["index"] + r["counter"], bytes(4) + r["counter"][::-1]
        same(r["record"], clear + aead.encrypt(nonce, r["plaintext"], clear))
        same(r["plaintext"], aead.decrypt(nonce, r["record"][15:], clear))

for v in take("records", "sequences"):
    seen = {-1}
    for r in v["records"]:
        clear, counter = r["record"][:15], int.from_bytes(r["record"][7:15], "big")
        fresh = counter not in seen and max(seen) - 1024 < counter < 2**64 - 1
        opened: bytes | None = None
        with suppress(InvalidTag):
            opened = Aead(v["key"]).decrypt(bytes(4) + clear[:6:-1], r["record"][15:], clear)
        good = fresh and opened is not None and clear[:7] == b"u\1\5" + v["index"]
        same(r.get("plaintext"), opened if good else None)
        seen |= {counter} if good else set()

left = sum(len(v) for name, file in FILES.items() for v in file.values() if isinstance(v, list) and name != "schema")
print(f"{len(done)} vectors checked; {left} that are refused or without bytes were not looked at")
