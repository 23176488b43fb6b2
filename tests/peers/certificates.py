"""Certificates of an authority that nobody trusts but for a test: with all that RFC 5280 asks of them, as Python 3.13 does, too."""

import datetime as dt
import ipaddress
from collections.abc import Collection
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CA, CERTIFICATE, KEY = "ca.pem", "server.pem", "server.key"
LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))

_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "encipher_only",
    "decipher_only",
)
_CERTIFICATES_ALONE = x509.KeyUsage(key_cert_sign=True, crl_sign=True, **dict.fromkeys(_USES, False))


class Authority:
    """A certificate authority, which writes its own certificate and those that it issues into a folder as PEM."""

    def __init__(self, folder: Path) -> None:
        """Write its certificate (RFC 5280, 4.2.1.3 and 4.2.1.9) as `ca.pem`."""
        self._folder, self._key, self._name = folder, ec.generate_private_key(ec.SECP256R1()), _name("Test authority")
        builder = _builder(self._name, self._key, self._name).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        certificate = builder.add_extension(_CERTIFICATES_ALONE, critical=True).sign(self._key, hashes.SHA256())
        (folder / CA).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, names: Collection[x509.GeneralName], *, file: str = "server", hours: int = 24) -> None:
        """Write a certificate for `names` (with the key of its issuer: RFC 5280, 4.2.1.1) that ends in so many hours, and its key."""
        key, issuer = ec.generate_private_key(ec.SECP256R1()), x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = _builder(_name("Test server"), key, self._name, hours=hours).add_extension(issuer, critical=False)
        certificate = builder.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(self._key, hashes.SHA256())
        pem = serialization.Encoding.PEM
        (self._folder / f"{file}.pem").write_bytes(certificate.public_bytes(pem))
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (self._folder / f"{file}.key").write_bytes(private)


def write_certificates(folder: Path, names: Collection[x509.GeneralName] = (LOOPBACK,)) -> None:
    """Write a CA, and a certificate of that for `names` with its key."""
    Authority(folder).issue(names)


def _builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, *, hours: int = 24) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.not_valid_before(now - dt.timedelta(days=2)).not_valid_after(now + dt.timedelta(hours=hours))
    builder = builder.serial_number(x509.random_serial_number())
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
