"""The smallest judge there is."""

from adjudge import JudgeSpec, Rubric, Verdict, hookimpl
from adjudge.interfaces import Item


class Generous:
    """Asks nothing."""

    name = "generous"

    async def judge(self, item: Item, rubric: Rubric, ask: object) -> list[Verdict]:
        """The top level of every criterion."""
        del ask
        tops = [(criterion.id, criterion.scale.levels[-1]) for criterion in rubric.criteria]
        given = {"submission": item.id, "status": "scored", "judge": self.name}
        return [Verdict.model_validate({**given, "criterion": c, "level": t.id, "score": t.score}) for c, t in tops]


@hookimpl
def adjudge_judges() -> list[JudgeSpec]:
    """The judge `generous`."""
    return [JudgeSpec(name="generous", build=build, summary="gives every criterion its top level")]


def build(**_options: object) -> Generous:
    """Make it; the options of judges that ask mean nothing to it."""
    return Generous()
