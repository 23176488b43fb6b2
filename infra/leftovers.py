"""Find the stacks in us-east-1 that a stack in another region has and no longer needs, and delete them: `python -m infra.leftovers`."""

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError

from infra.config import GLOBAL_REGION, Config, ConfigError
from infra.context import read_config, read_context, staged
from infra.deployed import agreed, cloudformation, descriptions, outputs_of, region_of, template_of
from infra.global_names import belongs_to, needed_stacks


def leftovers(config: Config, region: str, *, needed: bool = True) -> list[str]:
    """Return the names of the deployed stacks beside the one in `region` that `config` does not need; all of them if none is `needed`.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    kept = needed_stacks(config, region) if needed else []
    ours = [name for name, described in descriptions(GLOBAL_REGION) if belongs_to(described, config, region)]
    return sorted(set(ours) - set(kept))


def delete(names: list[str]) -> None:
    """Delete stacks, one after another, and say so.

    Raises:
        BotoCoreError, ClientError: AWS refuses it, or a stack cannot be deleted because something still uses what it has.
    """
    client = cloudformation(GLOBAL_REGION)
    for name in names:
        client.delete_stack(StackName=name)
        client.get_waiter("stack_delete_complete").wait(StackName=name)
        print(f"{name} in {GLOBAL_REGION} was deleted.")


def _main(options: argparse.Namespace) -> int:
    config = read_config(staged(read_context(), options.stage))
    region = region_of(config)
    if not region:
        raise ConfigError("region: it is not known; name it in infra/cdk.json, or set AWS_REGION.")
    if options.all and outputs_of(config.full_name, region) is not None:
        print(f"{config.full_name} is still there, and uses the stacks in {GLOBAL_REGION}; nothing was deleted.", file=sys.stderr)
        return 1
    names = leftovers(config, region, needed=not options.all)
    if not names:
        return 0
    listed = ", ".join(names)
    if not (options.delete or options.all):
        stage = f" STAGE={options.stage}" if options.stage else ""
        print(f"{config.full_name} no longer needs {listed} in {GLOBAL_REGION}; `make prune{stage}` deletes what is no longer needed.")
        return 0
    template = template_of(config.full_name, region)
    if used := [name for name in names if f'"{name}"' in template]:
        print(f"{config.full_name} as it is deployed still uses {', '.join(used)}; run make deploy first.", file=sys.stderr)
        return 1
    if not options.yes and not agreed(f"Delete {listed} in {GLOBAL_REGION}?"):
        print("Nothing was deleted.", file=sys.stderr)
        return 1
    delete(names)
    return 0


def main() -> int:
    """Say which stacks are left, or delete them if whoever calls agrees, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", default="", help="the stage of the stack, as infra/cdk.json lists it")
    parser.add_argument("--delete", action="store_true", help="delete what is no longer needed")
    parser.add_argument("--all", action="store_true", help="delete what is left in us-east-1 of a stack that was deleted")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args()
    try:
        return _main(options)
    except ClientError as error:
        print(f"Whether stacks are left in {GLOBAL_REGION} is not known: {error}", file=sys.stderr)
        # Where an account may not use that region, what was deployed elsewhere is whole all the same.
        return 2 if options.delete or options.all else 0
    except (ConfigError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
