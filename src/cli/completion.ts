/** Shell completion, made from the program itself, so that it cannot fall behind. Pure. */
import type { Command } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

interface Verb {
  /** E.g. `secret read`. */
  readonly path: string;
  readonly description: string;
  readonly options: readonly {
    readonly flag: string;
    readonly description: string;
    readonly values: readonly string[];
  }[];
  readonly takesName: boolean;
}

/** The script for a shell. Names of identities come from `tenure list --names` at the moment of completing. */
export function completionScript(shell: Shell, program: Command): string {
  const verbs = verbsOf(program, '');
  return { bash, zsh, fish }[shell](verbs);
}

function verbsOf(command: Command, path: string): Verb[] {
  return command.commands.flatMap((child) => {
    const childPath = `${path} ${child.name()}`.trim();
    const verb: Verb = {
      path: childPath,
      description: child.description(),
      options: child.options.map((option) => ({
        flag: option.long ?? option.flags,
        description: option.description,
        values: option.argChoices ?? [],
      })),
      takesName: child.registeredArguments[0]?.name() === 'name',
    };
    return [verb, ...verbsOf(child, childPath)];
  });
}

function wordsUnder(verbs: readonly Verb[], path: string): string[] {
  const depth = path === '' ? 1 : path.split(' ').length + 1;
  return verbs
    .filter(
      (verb) => verb.path.split(' ').length === depth && `${verb.path} `.startsWith(path === '' ? '' : `${path} `),
    )
    .map((verb) => verb.path.split(' ').at(-1)!);
}

function groups(verbs: readonly Verb[]): Verb[] {
  return verbs.filter((verb) => wordsUnder(verbs, verb.path).length > 0);
}

function bash(verbs: readonly Verb[]): string {
  const leaves = verbs.filter((verb) => wordsUnder(verbs, verb.path).length === 0);
  return `# tenure completion for bash: eval "$(tenure completion bash)"
_tenure() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="\${COMP_WORDS[1]}" first=2
  case "$path" in
    ${groups(verbs)
      .map((verb) => verb.path)
      .join(' | ')}) path="$path \${COMP_WORDS[2]}"; first=3 ;;
  esac
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${wordsUnder(verbs, '').join(' ')}' -- "$current"))
    return
  fi
  case "$previous" in
    --config) COMPREPLY=($(compgen -f -- "$current")); return ;;
${choices(verbs)
  .map(([flag, values]) => `    ${flag}) COMPREPLY=($(compgen -W '${values.join(' ')}' -- "$current")); return ;;`)
  .join('\n')}
  esac
  if [ "$COMP_CWORD" -eq 2 ] && [ "$first" -eq 3 ]; then
    case "\${COMP_WORDS[1]}" in
${groups(verbs)
  .map(
    (verb) =>
      `      ${verb.path}) COMPREPLY=($(compgen -W '${wordsUnder(verbs, verb.path).join(' ')}' -- "$current")) ;;`,
  )
  .join('\n')}
    esac
    return
  fi
  case "$current" in
    -*)
      case "$path" in
${leaves.map((verb) => `        '${verb.path}') COMPREPLY=($(compgen -W '${verb.options.map(({ flag }) => flag).join(' ')}' -- "$current")) ;;`).join('\n')}
      esac
      return ;;
  esac
  case "$path" in
    ${leaves
      .filter((verb) => verb.takesName)
      .map((verb) => `'${verb.path}'`)
      .join(' | ')})
      [ "$COMP_CWORD" -eq "$first" ] && COMPREPLY=($(compgen -W "$(tenure list --names 2>/dev/null)" -- "$current")) ;;
    plan | apply | 'completion') COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}
complete -o default -F _tenure tenure
`;
}

function choices(verbs: readonly Verb[]): [string, readonly string[]][] {
  return [
    ...new Map(
      verbs.flatMap((verb) =>
        verb.options.filter(({ values }) => values.length > 0).map(({ flag, values }) => [flag, values] as const),
      ),
    ),
  ];
}

/** zsh runs the bash functions through its own compatibility layer. */
function zsh(verbs: readonly Verb[]): string {
  return `# tenure completion for zsh: eval "$(tenure completion zsh)"\nautoload -U +X bashcompinit && bashcompinit\n${bash(verbs).split('\n').slice(1).join('\n')}`;
}

function fish(verbs: readonly Verb[]): string {
  const lines = verbs.flatMap((verb) => {
    const words = verb.path.split(' ');
    const under = words.slice(0, -1);
    const condition = under.length === 0 ? '__fish_use_subcommand' : seen(under);
    return [
      `complete -c tenure -n '${condition}' -f -a ${words.at(-1)} -d ${quoted(verb.description)}`,
      ...verb.options.map(
        ({ flag, description, values }) =>
          `complete -c tenure -n '${seen(words)}' -l ${flag.replace(/^--/, '')} -d ${quoted(description)}${values.length > 0 ? ` -xa '${values.join(' ')}'` : ''}`,
      ),
      ...(verb.takesName ? [`complete -c tenure -n '${seen(words)}' -f -a '(tenure list --names 2>/dev/null)'`] : []),
    ];
  });
  return `# tenure completion for fish: tenure completion fish | source\n${lines.join('\n')}\n`;
}

function seen(words: readonly string[]): string {
  return words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
