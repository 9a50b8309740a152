"""One DICOM Segmentation object, built by highdicom. Only `dicom_seg` imports this, once highdicom is there."""

from __future__ import annotations

import re
from importlib.metadata import version

import highdicom
import numpy as np
from highdicom.seg import Segmentation, SegmentationTypeValues, SegmentDescription
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

from training.errors import FormatError
from training.exports.selection import Chosen

SERIES = 900
_TYPE2 = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)


def segmentation(header: Dataset, mask: np.ndarray, chosen: Chosen) -> Segmentation:
    """A binary segmentation of one image.

    Parameters
    ----------
    header : Dataset
        Of the image: the file's own, or what the project keeps of it.
    mask : (H, W) uint8, 0 or 1
        On the image's stored grid.
    """
    program = version("napari-semimedref")
    source = _completed(header)
    written = Segmentation(
        source_images=[source],
        pixel_array=mask[None].astype(np.uint8),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[_segment(chosen, program)],
        series_instance_uid=highdicom.UID(),
        series_number=SERIES,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="napari-semimedref",
        manufacturer_model_name="napari-semimedref",
        software_versions=program,
        device_serial_number="0",
        content_label="LESION",
        content_description=chosen.description[:64] or None,
        omit_empty_frames=False,
    )
    written.SeriesDescription = "Lesion masks accepted in napari-semimedref"
    if "ImageOrientationPatient" not in source:
        written.PatientOrientation = source.get("PatientOrientation") or ""
    shared = written.SharedFunctionalGroupsSequence[0]
    measures = shared.get("PixelMeasuresSequence")
    # A film has none, and readers insist on it.
    if measures and "SliceThickness" not in measures[0]:
        del shared.PixelMeasuresSequence
    return written


def _segment(chosen: Chosen, program: str) -> SegmentDescription:
    revision = chosen.revision
    proposed = revision is not None and revision.model_id is not None
    algorithm = None
    if revision is not None and proposed:
        algorithm = highdicom.AlgorithmIdentificationSequence(
            name="napari-semimedref teacher",
            version=str(revision.model_id)[:64] or program,
            family=codes.DCM.ArtificialIntelligence,
        )
    segment = SegmentDescription(
        segment_number=1,
        segment_label="Lesion",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Lesion,
        algorithm_type="SEMIAUTOMATIC" if proposed else "MANUAL",
        algorithm_identification=algorithm,
        tracking_uid=highdicom.UID(),
        tracking_id=chosen.case.id[:64],
    )
    if chosen.description:
        segment.SegmentDescription = chosen.description[:1024]
    return segment


def _completed(header: Dataset) -> Dataset:
    """The header with what every image must state, empty where it is not known, and without what is invalid."""
    image = Dataset()
    image.update(header)
    if not re.fullmatch(r"\d{3}[DWMY]", str(image.get("PatientAge", "000Y"))):
        del image.PatientAge
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        if keyword in image and not all(float(v) > 0 for v in image.get(keyword) or [0]):
            delattr(image, keyword)
    for keyword in _TYPE2:
        if keyword not in image:
            setattr(image, keyword, "")
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID"):
        if not image.get(keyword):
            setattr(image, keyword, highdicom.UID())
    if "ImageOrientationPatient" in image:
        _place(image)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta = meta
    return image


def _place(slice_: Dataset) -> None:
    """Complete a slice's place in the patient, where that takes no guess about where it is.

    Raises
    ------
    FormatError
        Its position or its pixel spacing is missing.
    """
    for keyword in ("ImagePositionPatient", "PixelSpacing"):
        if not slice_.get(keyword):
            raise FormatError(f"Its DICOM header lacks {keyword}: export it in another format.")
    if not slice_.get("FrameOfReferenceUID"):
        slice_.FrameOfReferenceUID = highdicom.UID()
    if not slice_.get("SliceThickness"):  # may be left empty in a slice, but not in a segmentation
        slice_.SliceThickness = slice_.get("SpacingBetweenSlices") or 1.0
