# The same rules in jq: prints what a plan may not do, and fails if there is anything.
#
#   jq --raw-output --exit-status --from-file deny.jq plan.json --args tenant/acme-corp
#
# --exit-status makes an empty answer exit code 4: nothing is denied.
def protected: $ARGS.positional;
def most: 20;

(.resource_changes[] | select(.change.actions | index("delete")) | "\(.address) would be deleted"),
(.resource_changes[] | select(.address as $a | protected | index($a)) | select(.change.actions - ["no-op", "read"] != []) | "\(.address) is protected"),
([.resource_changes[] | select(.change.actions != ["no-op"])] | length | select(. > most) | "\(.) objects would change, and at most \(most) may")
