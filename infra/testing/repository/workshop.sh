# What the workshop's repository and its agent run: `sh workshop.sh agent|check|measure <control> [leave-trace]`.
# They note what they do in a file, and wait wherever the test holds them. (Shell starts in a tenth of the time of Node.)
set -e
what=$1
control=$2

note() { # note <what> <point>: one line for each thing that happened, at which point, by which process
  echo "{\"what\":\"$1\",\"point\":\"$2\",\"pid\":$$}" >>"$control/notes"
}

pass() { # pass <point>: notes that it is reached, and goes on as soon as nothing holds it
  note reached "$1"
  while [ -e "$control/hold-$1" ]; do sleep 0.02; done
}

cost() { sed -n 's/.*"cost":\(-\{0,1\}[0-9]*\).*/\1/p' work.json; }

case $what in
agent)
  # Each start is noted under the label of its attempt.
  label=$(sed -n 's/^\(.*[^A-Za-z]\)\{0,1\}This attempt is called \([^[:space:]]*\)\.\([[:space:]].*\)\{0,1\}$/\2/p')
  # Half-done work of this process can be told from that of another.
  if [ "$3" = leave-trace ]; then : >"started-by-$$"; fi
  pass "$label"
  case $label in *.*) number=${label#*.} ;; *) number=0 ;; esac
  if [ -e "$control/switch-invalid" ]; then valid=false; else valid=true; fi
  echo "{\"by\":\"$label\",\"cost\":$(($(cost) - number)),\"valid\":$valid}" >work.json
  note finished "$label"
  ;;
check)
  pass test
  grep -q '"valid":true' work.json || { echo 'the work is not valid' >&2 && exit 1; }
  ;;
measure)
  echo "{\"cost\":$(cost)}"
  ;;
esac
