"""Prediction by the machines of a Ray cluster: contigs go there, genes come back, in order.

Each machine has one worker, which predicts as that machine would alone: with all cores or GPUs that
Ray gives it, and a whole contig at a time, since what is decoded on a contig depends on all of it.
So genes are those of a run without a cluster. A task is some contigs; what a lost worker had is
given to others. The checkpoint travels with the job: machines need the program, not the files.

Tasks are bounded in number, those done before their turn in bases. The only file that imports ray.
"""

from __future__ import annotations

import logging
import pickle
import socket
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from augustus_dl import __version__
from augustus_dl.errors import AugustusError, ClusterError
from augustus_dl.gene import Gene
from augustus_dl.io.fasta import Contig
from augustus_dl.predict import PredictOptions, decoder_config, engine_for, is_whole, predict
from augustus_dl.profile import WEIGHTS, Profile

__all__ = ["predict_on_cluster"]

_LOG = logging.getLogger(__name__)
_TASK = 4_000_000
"""Bases of a task, but for longer contigs."""
_SHORT = 20_000
"""A shorter contig counts as one of so many bases: about what the network's flanks cost."""
_AT_ONCE = 2
"""Tasks that a worker holds, so that it need not wait for the next."""
_ROOM = 1_000_000_000
"""Bases of tasks under way or done before their turn; where contigs are long `_AT_ONCE` for each
worker may be under way all the same."""
_LOSSES = 3
"""How often a task may be lost, or a machine's workers one after another, before that is an error.
"""
_PATIENCE = 120.0
"""Seconds without any worker that end a run."""
_LOOK = 5.0
"""Seconds after which machines that have joined are noticed."""


def predict_on_cluster(
    contigs: Iterable[Contig], profile: Profile, options: PredictOptions, address: str
) -> Iterator[tuple[Contig, list[Gene]]]:
    """Genes of each contig, in order, as `predict` finds them.

    The cluster is asked, and the checkpoint opened on one of its machines, before the first contig.

    Args:
        address: HOST:PORT of the cluster, or auto for that of this machine.

    Raises:
        ClusterError: Ray is missing, no cluster answers, a machine has another version of the
            program, or work is lost over and over.
        ModelError, OptionError: as `predict`.
    """
    decoder_config(profile, options)
    ray = _connected(address)
    try:
        crew = _Crew(ray, profile, options)
        crew.assemble()
    except BaseException:
        ray.shutdown()
        raise
    return _results(crew, _tasks(contigs, options))


def _connected(address: str) -> ModuleType:
    """The module ray, once it is connected."""
    try:
        import ray
    except ImportError as error:
        raise ClusterError(
            "--cluster needs Ray, which is not installed: pip install 'augustus-dl[cluster]'"
        ) from error
    _check_answer(address)
    try:
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise ClusterError(f"no Ray cluster can be used at {address}: {reason}") from error
    return ray


def _check_answer(address: str) -> None:
    """See that something answers: Ray itself would try for minutes."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise ClusterError(f"--cluster={address} is neither auto nor HOST:PORT")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"no Ray cluster answers at {address}: {error}") from error


@dataclass
class _Task:
    """Contigs that one worker is given.

    Attributes:
        whole: of the first contig, too, all is predicted.
        bases: of all contigs.
        found: genes of each contig, once they are known.
        losses: workers that were lost with it.
    """

    contigs: list[Contig]
    whole: bool
    bases: int = field(init=False)
    found: list[list[Gene]] | None = None
    losses: int = 0

    def __post_init__(self) -> None:
        self.bases = sum(len(contig.sequence) for contig in self.contigs)


def _tasks(contigs: Iterable[Contig], options: PredictOptions) -> Iterator[_Task]:
    held: list[Contig] = []
    size, first = 0, True
    for contig in contigs:
        if first and not is_whole(contig, options):
            yield _Task([contig], whole=False)
            return
        first = False
        held.append(contig)
        size += max(len(contig.sequence), _SHORT)
        if size >= _TASK:
            yield _Task(held, whole=True)
            held, size = [], 0
    if held:
        yield _Task(held, whole=True)


def _results(crew: _Crew, tasks: Iterator[_Task]) -> Iterator[tuple[Contig, list[Gene]]]:
    """What the workers find, in the order of the contigs."""
    waiting: deque[_Task] = deque()
    failure: Exception | None = None
    try:
        while True:
            while not failure and crew.has_room(sum(task.bases for task in waiting), len(waiting)):
                try:
                    task = next(tasks)
                except StopIteration:
                    tasks = iter(())
                    break
                except Exception as error:  # its turn comes when all before are done
                    failure = error
                    break
                waiting.append(task)
                crew.give(task)
            if not waiting:
                break
            while waiting and waiting[0].found is not None:
                task = waiting.popleft()
                yield from zip(task.contigs, task.found, strict=True)
            if waiting:
                crew.attend()
    finally:
        crew.dismiss()
    if failure:
        raise failure


@dataclass(eq=False)
class _Worker:
    """The worker of a machine.

    Attributes:
        actor: its handle.
        node, name: Ray's number of the machine, and what people call it.
        tasks: what it holds, by the promise of its answer.
    """

    actor: Any
    node: str
    name: str
    tasks: dict[Any, _Task] = field(default_factory=dict)


class _Crew:
    """The workers of a cluster and what they are at."""

    def __init__(self, ray: ModuleType, profile: Profile, options: PredictOptions) -> None:
        self._ray = ray
        self._job = ray.put(pickle.dumps(_Job.of(profile, options)))
        self._on_gpus = options.device.startswith("cuda")
        self._starting: dict[Any, _Worker] = {}
        self._ready: list[_Worker] = []
        self._lost: deque[_Task] = deque()
        self._failures: Counter[str] = Counter()
        self._looked = self._worked = time.monotonic()
        self._recruit()

    def assemble(self) -> None:
        """Wait for the first worker."""
        if not self._starting:
            needed = "a GPU" if self._on_gpus else "a core"
            raise ClusterError(f"no machine of the cluster has {needed} for tasks")
        while not self._ready:
            self.attend()

    def has_room(self, bases: int, tasks: int) -> bool:
        """May there be another task beside so many, which are under way or done?"""
        if self._lost or not self._free():
            return False
        return bases < _ROOM or tasks < _AT_ONCE * len(self._ready)

    def give(self, task: _Task) -> None:
        """Have a free worker do a task."""
        worker = min(self._free(), key=lambda worker: len(worker.tasks))
        worker.tasks[worker.actor.genes.remote(task.contigs, task.whole)] = task

    def attend(self) -> None:
        """Wait until something has happened, and see to it."""
        answers = [*self._starting, *(answer for worker in self._ready for answer in worker.tasks)]
        if answers:
            for answer in self._ray.wait(answers, num_returns=1, timeout=_LOOK)[0]:
                self._take(answer)
        else:
            time.sleep(_LOOK / 10)
        now = time.monotonic()
        if now - self._looked > _LOOK:
            self._recruit()
            self._looked = now
            self._check_hope()
        self._worked = now if self._ready else self._worked
        while self._lost and self._free():
            self.give(self._lost.popleft())

    def _check_hope(self) -> None:
        """See that there is a worker, or may be one."""
        if self._ready:
            return
        if not self._starting and self._failures:
            raise ClusterError("the workers of all machines are lost")
        if self._looked - self._worked > _PATIENCE:
            raise ClusterError(f"no machine of the cluster was free for {_PATIENCE:.0f} s")

    def dismiss(self) -> None:
        """Leave the cluster; Ray ends the workers."""
        self._ray.shutdown()

    def _free(self) -> list[_Worker]:
        return [worker for worker in self._ready if len(worker.tasks) < _AT_ONCE]

    def _take(self, answer: Any) -> None:
        """An answer of a worker, or the news that it is lost."""
        exceptions = self._ray.exceptions
        starting = self._starting.pop(answer, None)
        worker = starting or next(each for each in self._ready if answer in each.tasks)
        try:
            found = self._ray.get(answer)
        except exceptions.RayTaskError as error:
            if isinstance(error.cause, AugustusError):
                raise error.cause from None
            raise
        except exceptions.RayError as error:
            self._lose(worker, error)
            return
        if not starting:
            worker.tasks.pop(answer).found = found
            self._failures[worker.node] = 0
        elif found:
            raise ClusterError(f"machine {worker.name} {found}")
        else:
            self._ready.append(worker)

    def _lose(self, worker: _Worker, error: Exception) -> None:
        """Take a worker's tasks back; its machine gets a new one when next looked at."""
        reason = str(error).strip().split("\n")[0]
        _LOG.warning("the worker on machine %s is lost: %s", worker.name, reason)
        self._failures[worker.node] += 1
        self._ready = [other for other in self._ready if other is not worker]
        self._ray.kill(worker.actor)
        for task in worker.tasks.values():
            task.losses += 1
            if task.losses > _LOSSES:
                raise ClusterError(
                    f"{task.losses} workers were lost while they had {task.contigs[0].name} or "
                    f"sequences near it; the last on {worker.name}: {reason}"
                )
            self._lost.append(task)

    def _recruit(self) -> None:
        """Start a worker on each machine that has none and is fit for one."""
        known = {worker.node for worker in (*self._starting.values(), *self._ready)}
        for node in self._ray.nodes():
            number, resources = node["NodeID"], node["Resources"]
            cores, gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
            fit = node["Alive"] and cores and (gpus or not self._on_gpus)
            if number in known or not fit or self._failures[number] > _LOSSES:
                continue
            place = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
                number, soft=False
            )
            actor = (
                self._ray.remote(_actor_class())
                .options(num_cpus=cores, num_gpus=gpus, scheduling_strategy=place)
                .remote()
            )
            started = actor.open.remote(__version__, self._job, cores)
            self._starting[started] = _Worker(actor, number, node["NodeManagerHostname"])


def _actor_class() -> type:
    """The class of workers. It is made here so that Ray sends its code: a machine without the
    program, or with another version, can say so."""

    class Worker:
        def open(self, version: str, job: bytes, cores: int) -> str:
            """Get ready; what hinders, or nothing."""
            try:
                import augustus_dl
            except ImportError:
                return "does not have augustus-dl in its Python"
            if augustus_dl.__version__ != version:
                return f"has augustus-dl {augustus_dl.__version__}, not {version}"
            import pickle

            self._at_work = pickle.loads(job).opened(cores)
            return ""

        def genes(self, contigs: list, whole: bool) -> list:
            return self._at_work.genes(contigs, whole)

    return Worker


@dataclass(frozen=True)
class _Job:
    """What all tasks of a run have in common.

    Attributes:
        weights: content of the files of the model folder.
    """

    profile: Profile
    options: PredictOptions
    weights: dict[str, bytes]

    @classmethod
    def of(cls, profile: Profile, options: PredictOptions) -> _Job:
        return cls(
            profile, options, {name: (profile.model / name).read_bytes() for name in WEIGHTS}
        )

    def opened(self, cores: int) -> _AtWork:
        return _AtWork(self, cores)


class _AtWork:
    """A job on the machine of a worker."""

    def __init__(self, job: _Job, cores: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="augustus-dl-")
        for name, content in job.weights.items():
            Path(self._folder.name, name).write_bytes(content)
        self._profile = replace(job.profile, model=Path(self._folder.name))
        self._options = job.options
        self._engine = engine_for(self._profile, job.options, cores)

    def genes(self, contigs: Sequence[Contig], whole: bool) -> list[list[Gene]]:
        """Genes of each contig.

        Args:
            whole: whatever range the options have.
        """
        options = replace(self._options, range=None) if whole else self._options
        return [genes for _, genes in predict(contigs, self._profile, options, self._engine)]
