"""Options that several commands take."""

from typing import Annotated

import typer

ClientCode = Annotated[str, typer.Option(envvar="COLDSHELF_CLIENT", help="Code of the client.")]
