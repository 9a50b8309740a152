"""The closed vocabulary of descriptions: which words mean a side, a level, a lung, a finding, a denial. Only tables;
spelling repair and grammar live elsewhere."""

from __future__ import annotations

from typing import NamedTuple

from training.report.write import NUMBERS


class Meaning(NamedTuple):
    """What a word is to the grammar.

    ``kind`` is one of side, both, level, zone, vague, all, diffuse, noun, filler, and, or, prep, to, article, cmp,
    stop, comma, colon, uni, number, finding, elsewhere, no, clear, spare, doubt, emphasis, change, word, odd.
    ``value``: the side, level, ``"side:levels"`` of a whole zone, or the number. ``plural`` matters for nouns only.
    """

    kind: str
    value: str = ""
    plural: bool = False


def _words(words: str) -> tuple[str, ...]:
    return tuple(words.split())


def _table(kind: str, words: str, value: str = "", plural: bool = False) -> dict[str, Meaning]:
    return {word: Meaning(kind, value, plural) for word in _words(words)}


SIDES = _table("side", "left lt", "L") | _table("side", "right rt", "R")
LEVELS = (
    _table("level", "upper uppermost top apical apically superior higher highest", "u")
    | _table("level", "middle mid midmost", "m")
    | _table("level", "lower lowermost lowest basal basally basilar inferior bottom", "l")
)
# Words that are a level and a noun in one: "the left base", "both apices", "right mid-zone".
PLACES = (
    _table("place", "apex", "u")
    | _table("place", "apices", "u", True)
    | _table("place", "midzone midlung", "m")
    | _table("place", "midzones midlungs", "m", True)
    | _table("place", "base", "l")
    | _table("place", "bases", "l", True)
)
WHOLE_ZONES = {
    f"{side}{level}{noun}": Meaning("zone", f"{side.upper()}:{value}")
    for side in "lr"
    for level, value in (("u", "u"), ("m", "m"), ("l", "l"))
    for noun in "lz"
} | {
    word: Meaning("zone", f"LR:{level}")
    for level, words in (
        ("l", "bibasal bibasally bibasilar bibasilarly bi-basal bi-basilar"),
        ("u", "biapical biapically bi-apical"),
    )
    for word in words.split()
}
# Anatomy that lies near a zone but is none: never decided, only offered.
VAGUE = {
    "lingula": Meaning("vague", "L:m"),
    "lingular": Meaning("vague", "L:m"),
    "retrocardiac": Meaning("vague", "L:l"),
    "perihilar": Meaning("vague", ":m"),
    "parahilar": Meaning("vague", ":m"),
    "infrahilar": Meaning("vague", ":l"),
    "suprahilar": Meaning("vague", ":u"),
}
EXTENT = _table("all", "all whole entire entirety complete throughout") | _table(
    "diffuse", "diffuse diffusely widespread"
)
BOTH = _table("both", "both bilateral bilaterally bilat bi-lateral each either") | _table(
    "uni", "unilateral unilaterally"
)
NOUNS = _table(
    "noun", "lung lobe zone field lungfield hemithorax side portion part third aspect chest"
) | _table(
    "noun",
    "lungs lobes zones fields lungfields hemithoraces sides portions parts",
    plural=True,
)
FILLERS = _table(
    "filler",
    "anterior posterior medial lateral peripheral central subpleural sided pulmonary lobar segmental of-the extreme",
)
JOINTS = (
    _table("and", "and & + plus und")
    | _table("or", "or and/or versus vs")
    | _table("to", "to through")
    | _table("prep", "of in on at within over overlying involving affecting")
    | _table("article", "the a an its")
    | _table("cmp", "> < >> << ≥ ≤ =")
    | _table("stop", ". ; ! ? \n but however although though whereas while yet nevertheless")
    | _table("comma", ", ( ) [ ] — –")
    | _table("colon", ":")
)
DENIALS = (
    _table("no", "no not without absent absence negative nor neither never none denies")
    | _table("clear", "clear normal unremarkable unaffected uninvolved spared aerated free")
    | _table("spare", "sparing except excluding")
    | _table(
        "doubt",
        "cannot exclude excluded unlikely doubtful rather instead resolved longer previous previously history "
        "thirds rule ruled resolving cleared formerly old indeterminate half",
    )
    | _table(
        "emphasis",
        "predominant predominantly predominance predominating mainly mostly worse worst greater maximal especially "
        "particularly most more marked",
    )
    | _table(
        "change",
        "change changes improvement increase decrease worsening progression difference interval",
    )
    | _table("other", "other additional further new")
)
FINDINGS = _table(
    "finding",
    "opacity opacities opacification opacifications consolidation consolidations infiltrate infiltrates infiltration "
    "infection infections pneumonia pneumonias airspace ground-glass groundglass ggo ggos disease process haze "
    "haziness atelectasis atelectases nodule nodules mass masses lesion lesions density densities focus foci shadow "
    "shadows shadowing abnormality abnormalities reticulation reticulations fibrosis scarring edema oedema collapse "
    "cavity cavities cavitation crazy-paving bronchiectasis involvement covid covid-19 inflammation area areas region "
    "regions bronchopneumonia crackles",
)
ELSEWHERE = _table(
    "elsewhere",
    "effusion effusions pneumothorax pneumothoraces hydropneumothorax pleural pleura hilum hilar hila heart cardiac "
    "cardiomegaly atrium ventricle ventricular atrial aorta aortic mediastinum mediastinal hemidiaphragm "
    "hemidiaphragms diaphragm diaphragms diaphragmatic costophrenic cardiophrenic rib ribs clavicle clavicular "
    "scapula shoulder humerus humeral breast mastectomy axilla axillary arm neck jugular subclavian ij picc line lines "
    "catheter port portacath port-a-cath tube tubes drain drains lead leads pacemaker icd device devices pacer "
    "electrode tip wire "
    "wires clip clips stent valve abdomen abdominal quadrant stomach gastric liver kidney spine vertebra vertebrae "
    "vertebral cervical lumbar artery vein cava bronchus mainstem lobectomy pneumonectomy thoracotomy view projection "
    "decubitus rotation rotated oblique marker fissure extremity extremities limb leg wall paratracheal trachea "
    "tracheal limit limits scoliosis hernia ganglia thyroid esophagus handed hand border margin angle angles chamber",
)
COUNTED = frozenset(
    _words("area areas region regions focus foci lesion lesions opacity opacities nodule nodules ")
)

LEXICON: dict[str, Meaning] = {
    **ELSEWHERE,
    **FINDINGS,
    **DENIALS,
    **JOINTS,
    **FILLERS,
    **NOUNS,
    **BOTH,
    **EXTENT,
    **VAGUE,
    **WHOLE_ZONES,
    **PLACES,
    **LEVELS,
    **SIDES,
    **{word: Meaning("number", str(value)) for value, word in enumerate(NUMBERS)},
    "infected": Meaning("word"),
    "affected": Meaning("word"),
}

# What a misspelt word may be repaired to, and what fused words are cut into.
POSITION_TARGETS = _words(
    "left right upper middle lower all lung lungs lobe lobes zone zones base bases basal bibasal bibasilar "
    "basilar apical apices whole entire higher superior inferior bilateral bilaterally unilateral "
)
OTHER_TARGETS = _words(
    "pulmonary infection infected area areas opacity opacities consolidation infiltrate pneumonia effusion "
    "clear without absent resolved sparing and no zero one two three four five six seven eight nine ten "
)
FUSED = frozenset(
    _words(
        "left right upper middle mid lower all lung lungs lobe lobes zone zones base bases field fields and sided "
        "pulmonary infection infected area areas unilateral bilateral one two three four five six seven eight "
        "nine "
    )
)
CORE = ("left", "right", "upper", "middle", "lower")
TEMPLATE = frozenset(
    _words(
        "unilateral bilateral pulmonary infection infected area areas lung lungs and all left right upper middle "
        "lower no higher "
    )
) | frozenset(NUMBERS)
# Ordinary words near a position word, which prose puts beside one: never taken for a misspelling there.
ORDINARY = frozenset(
    _words(
        "superimposed superficial supervening nuclear clean clearing cleaner eighth "
        "slightly lightly highlight highlights straight straightening insight overnight tonight brighter "
        "followed following follow "
        "allowed swallow shallow hollow yellow lowered midline outright eighteen eighty "
        "is by am be he if it me my us we do go ie eg dr ap pa ct up iv ng et id hx tb cm mm ok "
        "slight small mild light upright bright height less least most best rest test lost last late later layer "
        "layering over other under super proper paper weight might tight night sight eight wall call fall tall "
        "ball well ill tell let lift felt soft kept just cleft lent case cases based basis vase bass long lone "
        "done none gone zonal lobar bowel power tower flower slower lover loser riddle fiddle muddle meddle area "
        "acute able base-line mass low large along among alone long-standing line lines flung clung sung hung "
        "rung love robe globe probe tone bone cone any its are air far ear near seen size since like likely chest "
        "nodular linear band and an ad end as at also had has have hand land sand no not now non so on of off or "
        "old new two to too ten tip tie tube then than them the these those "
    )
)
