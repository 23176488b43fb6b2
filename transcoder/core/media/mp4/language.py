"""Languages as an `mdhd` has them: three letters of ISO 639-2, packed into 15 bits (ISO/IEC 14496-12, 8.4.2)."""

_PAIRS = (
    "aaaar ababk aeave afafr akaka amamh anarg arara asasm avava ayaym azaze babak bebel bgbul bhbih bibis bmbam bnben bobod "
    "brbre bsbos cacat ceche chcha cocos crcre csces cuchu cvchv cycym dadan dedeu dvdiv dzdzo eeewe elell eneng eoepo esspa "
    "etest eueus fafas ffful fifin fjfij fofao frfra fyfry gagle gdgla glglg gngrn guguj gvglv hahau heheb hihin hohmo hrhrv "
    "hthat huhun hyhye hzher iaina idind ieile igibo iiiii ikipk ioido isisl itita iuiku jajpn jvjav kakat kgkon kikik kjkua "
    "kkkaz klkal kmkhm knkan kokor krkau kskas kukur kvkom kwcor kykir lalat lbltz lglug lilim lnlin lolao ltlit lulub lvlav "
    "mgmlg mhmah mimri mkmkd mlmal mnmon mrmar msmsa mtmlt mymya nanau nbnob ndnde nenep ngndo nlnld nnnno nonor nrnbl nvnav "
    "nynya ococi ojoji omorm orori ososs papan pipli plpol pspus ptpor quque rmroh rnrun roron rurus rwkin sasan scsrd sdsnd "
    "sesme sgsag sisin skslk slslv smsmo snsna sosom sqsqi srsrp ssssw stsot susun svswe swswa tatam tetel tgtgk ththa titir "
    "tktuk tltgl tntsn toton trtur tstso tttat twtwi tytah uguig ukukr ururd uzuzb veven vivie vovol wawln wowol xhxho yiyid "
    "yoyor zazha zhzho zuzul"
)
"""The codes of ISO 639-1, two letters each, and behind each its code of ISO 639-2/T."""
_LONG_CODES = {pair[:2]: pair[2:] for pair in _PAIRS.split()}
_CODE_LETTERS = 3


def iso_639(tag: str | None) -> str | None:
    """Return the code of three letters of a tag such as `de`, `en-US` or `deu` (RFC 5646); None if it has none of ISO 639."""
    primary = (tag or "").partition("-")[0].lower()
    code = _LONG_CODES.get(primary, primary)
    return code if len(code) == _CODE_LETTERS and code.isascii() and code.isalpha() else None


def pack_language(tag: str | None) -> int | None:
    """Return the packed language of a tag as `iso_639` reads it; None if it has none."""
    code = iso_639(tag)
    if code is None:
        return None
    first, second, third = (ord(letter) - 0x60 for letter in code)
    return first << 10 | second << 5 | third
