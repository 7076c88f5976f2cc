"""The JSON report as types. Made from its schema by ``packaging/report_types.py``; not to be edited."""

# What a name means stands in docs/json-schema.md, under the same name.
from typing import Dict, List, Optional, TypedDict


class InputSearched(TypedDict):
    objects: int
    unfinished: int


class InputBirthsUnseen(TypedDict):
    """When births and deaths were not all seen, as after tracemalloc.stop(); null where all were."""

    times: int
    from_ns: int
    to_ns: int


class InputProgram(TypedDict):
    """How the program ended; null where the trace does not tell, as of a child process."""

    exit: Optional[int]
    signal: Optional[int]
    milliseconds: int


class Trace(TypedDict):
    """One trace that was read."""

    path: str
    runtime: str
    references: str
    births: str
    events: int
    ending: str
    cut_at: Optional[int]
    error: Optional[str]
    snapshots: int
    missed_collections: int
    other_interpreters: int
    searched: Optional[InputSearched]
    births_unseen: Optional[InputBirthsUnseen]
    stopped: Optional[str]
    own_only: bool
    program: Optional[InputProgram]
    known: str


class Moment(TypedDict):
    """A moment of the run."""

    event: int
    ns: Optional[int]


class Peak(TypedDict):
    """The most that was garbage at one time. In a recording there may have been more between two looks."""

    loops: int
    objects: int
    bytes: Optional[int]
    at: Moment


class Amount(TypedDict):
    """What is garbage at one time."""

    loops: int
    objects: int
    bytes: Optional[int]


class SummaryCyclicGarbage(TypedDict):
    """Objects that were alive although no root reached them, in any snapshot; each once."""

    loops: int
    kinds: int
    objects: int
    gc_objects: int
    bytes: Optional[int]
    peak_at_least: Peak
    peak_is_exact: bool
    at_end: Optional[Amount]
    byte_seconds_at_least: Optional[float]
    byte_seconds_at_most: Optional[float]
    collected_loops: int
    collected_objects: int
    unproved_paths: int
    by_owner: Dict[str, int]


class Summary(TypedDict):
    """The run in numbers."""

    events: int
    live_objects: Optional[int]
    live_bytes: Optional[int]
    live_types: Optional[int]
    live_known: bool
    cyclic_garbage: SummaryCyclicGarbage
    lost_objects: Optional[int]
    lost_bytes: Optional[int]
    anomalies: int


class Step(TypedDict):
    """One member of the path, and the reference that leads on."""

    label: str
    type: str
    slot: str


class LoopTypes(TypedDict):
    """Objects per loop by type, and their bytes; a fraction where loops of the kind differ."""

    members: Dict[str, float]
    held: Dict[str, float]
    member_bytes: Dict[str, float]
    held_bytes: Dict[str, float]


class Frame(TypedDict):
    """A place in the program."""

    path: str
    line: int
    function: str


class LoopCutAlternatives(TypedDict):
    reference: str
    replacement: str


class LoopCutMore(TypedDict):
    reference: str
    replacement: str


class LoopCutReplay(TypedDict):
    """What a replay of the trace proves of the cut, made with those of more; null where it was not tried."""

    verdict: str
    proof: str
    text: str


class LoopCut(TypedDict):
    """The reference to cut."""

    reference: str
    replacement: str
    evidence: Optional[str]
    is_question: bool
    alternatives: List[LoopCutAlternatives]
    more: List[LoopCutMore]
    is_enough: Optional[bool]
    left: Optional[str]
    stay: Optional[int]
    of: Optional[int]
    replay: Optional[LoopCutReplay]


class LoopRefuted(TypedDict):
    type: str
    reference: str
    event: int


class Standing(TypedDict):
    """How a finding stands at the gate."""

    name: str
    reason: Optional[str]


class _AlwaysLoop(TypedDict):
    fingerprint: str
    path: str
    steps: List[Step]
    count: int
    objects: int
    gc_objects: int
    bytes: Optional[int]
    held_objects: int
    held_bytes: Optional[int]
    total_bytes: Optional[int]
    peak_at_least: Peak
    peak_is_exact: bool
    at_end: Optional[Amount]
    types: LoopTypes
    subclasses: Dict[str, List[str]]
    site: List[Frame]
    other_sites: int
    definitions: List[Frame]
    first_seen: Moment
    last_seen: Moment
    orphaned: Optional[List[Moment]]
    collected: int
    byte_seconds: Optional[float]
    byte_seconds_at_least: Optional[float]
    byte_seconds_at_most: Optional[float]
    owner: str
    pattern: Optional[str]
    advice: Optional[str]
    cut: Optional[LoopCut]
    refuted: List[LoopRefuted]
    marks: Dict[str, int]
    standing: Optional[Standing]
    text: List[str]


class Loop(_AlwaysLoop, total=False):
    """Loops with the same fingerprint."""

    made_before: int
    alive_at_exit: int


class TypeSplit(TypedDict):
    """Where bytes go; padding stands beside them."""

    object: int
    gc_header: int
    pre_header: int
    weakref_field: int
    dict_object: int
    attributes: int
    items: int
    padding: int


class TypeRow(TypedDict):
    """One type; over several traces the numbers are added up by name."""

    type: str
    module: str
    instances: int
    peak_instances: int
    ever_instances: int
    bytes: int
    peak_bytes: int
    bytes_per_instance: float
    share: float
    split: TypeSplit
    states: Dict[str, int]


class Slots(TypedDict):
    """What __slots__ would change for one class."""

    type: str
    instances: int
    peak_instances: int
    bytes_per_instance: float
    slotted_bytes_per_instance: float
    used_per_instance: float
    slotted_used_per_instance: float
    saved_bytes: int
    saved_bytes_at_peak: int
    class_cost: int
    verdict: str
    blockers: List[str]
    suggestion: Optional[str]
    place: Optional[str]
    notes: List[str]
    owner: str


GrowthContainers = TypedDict(
    "GrowthContainers",
    {
        "path": str,
        "type": str,
        "containers": int,
        "unit": str,
        "from": int,
        "to": int,
        "from_is_exact": bool,
        "per_second": Optional[float],
        "emptied": bool,
        "element": str,
        "bytes": Optional[int],
        "site": List[Frame],
        "place": Optional[Frame],
        "site_of_container": bool,
    },
)


GrowthTypes = TypedDict(
    "GrowthTypes",
    {
        "type": str,
        "from": int,
        "to": int,
        "per_second": Optional[float],
    },
)


class Growth(TypedDict):
    """What grew from one look at the whole heap to the next, in each trace for itself."""

    looks: int
    known: bool
    containers: List[GrowthContainers]
    more: int
    types: List[GrowthTypes]


class Collections(TypedDict):
    """The collections of one generation that were seen, and ended; each looks at the younger generations too."""

    generation: int
    collections: int
    looked_at: Optional[int]
    freed: int
    uncollectable: int
    pause_ns: Optional[int]
    longest_pause_ns: Optional[int]


class MemoryPoints(TypedDict):
    event: int
    ns: Optional[int]
    occasion: str
    generation: Optional[int]
    live_objects: Optional[int]
    live_bytes: Optional[int]
    garbage_objects: int
    garbage_bytes: Optional[int]


class Memory(TypedDict):
    """What was alive and what was garbage over time, in one trace."""

    trace: str
    moments: int
    thinned: bool
    points: List[MemoryPoints]


class TypesOverTimeTypes(TypedDict):
    type: str
    bytes: List[int]


class TypesOverTime(TypedDict):
    """The bytes of the types with most of them, at moments at which the whole heap was looked at."""

    trace: str
    moments: List[Moment]
    types: List[TypesOverTimeTypes]
    others: List[int]


SuspectedLost = TypedDict(
    "SuspectedLost",
    {
        "type": str,
        "objects": int,
        "alive": int,
        "unclear": int,
        "references_least": int,
        "references_most": int,
        "bytes": Optional[int],
        "from": int,
        "per_second": Optional[float],
        "searched": bool,
        "site": List[Frame],
        "place": Optional[Frame],
    },
)


class Unheld(TypedDict):
    """Objects of one type that one line made, that were never freed, and that nothing recorded refers to."""

    type: str
    objects: int
    bytes: Optional[int]
    site: List[Frame]
    place: Frame


class Closed(TypedDict):
    """Objects of one type that own memory which nobody could read."""

    type: str
    objects: int


class Lost(TypedDict):
    """Objects of one type with a count that nothing explains."""

    type: str
    objects: int
    bytes: int


class Unreachable(TypedDict):
    """Objects of one type that the program's own collector found unreachable."""

    type: str
    objects: int
    bytes: Optional[int]
    collected: int
    made: Optional[int]
    named: List[str]


class Anomaly(TypedDict):
    """What the log said that a sane log would not."""

    kind: str
    meaning: str
    count: int
    examples: List[str]


class Finding(TypedDict):
    """One finding of a rule."""

    rule: str
    severity: str
    fingerprint: str
    subject: str
    message: str
    advice: Optional[str]
    place: Optional[Frame]
    owner: str
    count: int
    objects: int
    bytes: Optional[int]
    bytes_at_peak: Optional[int]
    standing: Optional[Standing]


class Gate(TypedDict):
    """What the gate said."""

    failed: bool
    none_of: List[str]
    standings: Dict[str, int]
    not_counted: List[str]
    exceeded: List[str]
    unused_suppressions: List[str]
    expired_suppressions: List[str]
    gone: List[str]


class ReportOmitted(TypedDict):
    """Rows that --top left out. Numbers of the summary are never cut."""

    loops: int
    types: int
    slots: int


class _AlwaysReport(TypedDict):
    schema: int
    refloop: str
    inputs: List[Trace]
    summary: Summary
    loops: List[Loop]
    types: List[TypeRow]
    by_module: bool
    slots: List[Slots]
    types_notes: List[str]
    slots_notes: List[str]
    slots_not_understood: List[str]
    growth: Growth
    collections: List[Collections]
    memory: List[Memory]
    types_over_time: List[TypesOverTime]
    suspected_lost: Optional[List[SuspectedLost]]
    unheld: Optional[List[Unheld]]
    closed: List[Closed]
    lost: List[Lost]
    anomalies: List[Anomaly]
    findings: List[Finding]
    gate: Optional[Gate]
    omitted: ReportOmitted


class Report(_AlwaysReport, total=False):
    """What refloop --format json writes."""

    unreachable: List[Unreachable]
