"""What may be kept of a DICOM header: an allow-list, with patients hashed, dates shifted and identifiers replaced.

Everything not named here never reaches a project. All keyed values depend on the project's secret, so that two
projects cannot be linked by them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID

from training.formats.options import ReadOptions

UIDS = (
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
)
CODES = {  # keyword: what may be kept, as a pattern; anything else could be somebody's free text
    "Modality": "CR|CT|DX|MR|OT|PX|RF|RG|SC|US|XA|XC",
    "ImageType": "ORIGINAL|DERIVED|PRIMARY|SECONDARY|AXIAL|LOCALIZER|REFORMATTED|MPR|POST_PROCESSED|",
    "PatientSex": "F|M|O",
    "BodyPartExamined": "ABDOMEN|BODY|BREAST|CHEST|CHESTABDOMEN|CHESTABDPELVIS|HEAD|HEART|LUNG|NECK|PELVIS|RIB|"
    "SHOULDER|SPINE|THORAX|TSPINE|WHOLEBODY",
    "ViewPosition": "AP|PA|LL|RL|LLD|RLD|LLO|RLO|LAO|RAO|LPO|RPO|LATERAL|LAT",
    "Laterality": "B|L|R|U",
    "ImageLaterality": "B|L|R|U",
    "PatientOrientation": "[AFHLPR]{1,3}",
    "PatientPosition": "[HF]F(P|S|DR|DL)",
    "PhotometricInterpretation": "MONOCHROME[12]|RGB|PALETTE COLOR|YBR_(FULL|FULL_422|PARTIAL_420|ICT|RCT)",
    "BurnedInAnnotation": "NO|YES",
    "LossyImageCompression": "0[01]",
    "LossyImageCompressionMethod": r"ISO_[0-9]{4,5}_[0-9]{1,2}",
    "PresentationLUTShape": "IDENTITY|INVERSE",
}
NUMBERS = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "SliceThickness",
    "SpacingBetweenSlices",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SeriesNumber",
    "InstanceNumber",
    "WindowCenter",
    "WindowWidth",
    "RescaleSlope",
    "RescaleIntercept",
    "LossyImageCompressionRatio",
)
_NUMBER = re.compile(r"[-+]?[0-9.]{1,24}([eE][-+]?[0-9]{1,3})?")
_AGE = re.compile(r"(\d{3})Y")


def keyed(secret: bytes, *parts: str) -> bytes:
    """A digest that cannot be had without the project's secret."""
    return hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).digest()


def patient_key(header: Dataset, secret: bytes) -> str:
    """The patient as this project knows them; a file without a patient's number stands for its study."""
    number = str(header.get("PatientID", "") or "").strip().casefold()
    issuer = str(header.get("IssuerOfPatientID", "") or "").strip().casefold()
    study = str(header.get("StudyInstanceUID", "") or header.get("SOPInstanceUID", ""))
    parts = ("patient", issuer, number) if number else ("study", study)
    return "P" + keyed(secret, *parts).hex()[:12]


def replaced_uid(uid: str, secret: bytes) -> str:
    """The identifier that stands for ``uid`` in this project."""
    return f"2.25.{int.from_bytes(keyed(secret, 'uid', uid)[:16], 'big')}"


def source_header(header: Dataset, options: ReadOptions) -> Dataset:
    """What is kept of a header: the allow-list of this module, and nothing else."""
    secret = options.secret
    kept = Dataset()
    kept.SOPClassUID = UID(str(header.SOPClassUID))
    for name in UIDS:
        uid = str(header.get(name, "") or "")
        if uid:
            setattr(kept, name, uid if options.keep_uids else replaced_uid(uid, secret))
    for name, pattern in CODES.items():
        values = [str(value) for value in _values(header.get(name))]
        values = [value for value in values if re.fullmatch(pattern, value)]
        if values:
            setattr(kept, name, values if len(values) > 1 else values[0])
    for name in NUMBERS:
        values = _values(header.get(name))
        if values and all(_NUMBER.fullmatch(str(value).strip()) for value in values):
            setattr(kept, name, values if len(values) > 1 else values[0])
    kept.PatientID = patient_key(header, secret)
    age = _AGE.fullmatch(str(header.get("PatientAge", "") or ""))
    if age:
        kept.PatientAge = f"{min(int(age.group(1)), 90):03d}Y"
    date = _shifted(str(header.get("StudyDate", "") or ""), kept.PatientID, secret)
    if date:
        kept.StudyDate = date
    return kept


def source_record(header: Dataset, options: ReadOptions, turn: dict[str, bool]) -> dict[str, Any]:
    """The JSON-able record of a case's origin that a project keeps."""
    kept = source_header(header, options).to_json_dict()
    return {"kind": "dicom", "turn": turn, "header": kept, "uids_kept": options.keep_uids}


def header_from(record: dict[str, Any]) -> Dataset:
    """The header in a record that `source_record` made."""
    return pydicom.Dataset.from_json(record["header"])


def burned_in_warning(header: Dataset) -> str | None:
    """A sentence where the pixels may carry text about the patient; None where the file says that they do not."""
    said = str(header.get("BurnedInAnnotation", "") or "").upper()
    if said == "YES" or str(header.get("RecognizableVisualFeatures", "") or "").upper() == "YES":
        return "The file says that its pixels carry text or features of the patient: look before you share it."
    kind = [str(value).upper() for value in _values(header.get("ImageType"))]
    captured = "Secondary Capture" in UID(str(header.get("SOPClassUID", ""))).name
    if said != "NO" and (
        captured or header.get("ConversionType") or {"DERIVED", "SECONDARY"} & set(kind)
    ):
        return "A captured or derived picture may carry burned-in text about the patient: look before you share it."
    return None


def _shifted(date: str, patient: str, secret: bytes) -> str:
    """The date moved back by up to ten years, by the same number of days for all dates of a patient."""
    try:
        day = datetime.strptime(date[:8], "%Y%m%d")
        days = 1 + int.from_bytes(keyed(secret, "days", patient)[:4], "big") % 3650
        return (day - timedelta(days=days)).strftime("%Y%m%d") if day.year > 1800 else ""
    except (ValueError, OverflowError):
        return ""


def _values(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return list(value) if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
