# Runs one PostgreSQL server and ends with its users, however they end.
#
#   $1      directory of the server, removed when all users are gone
#   $2      seconds to wait for new users after the last has gone
#   $3...   the server's command
#   stdin   read end of a pipe whose write end every user holds open; the kernel
#           closes it when a user ends, also by SIGKILL. A user who joins writes
#           a byte.
#   fd 3    a locked file, held open by all processes of the server
exec 4<&0 </dev/null
dir=$1 linger=$2
shift 2

"$@" 4<&- &
server=$!
echo "$server" >"$dir/pid"

{
	# cat ends when no user is left. If somebody joined since the last time, wait
	# once more for the next: packages are tested one after the other.
	while [ -n "$(cat <&4)" ]; do sleep "$linger"; done
	# Nobody can join from here on; whoever joined in between is waited for.
	rm -f "$dir/users"
	cat <&4 >/dev/null
	# The directory may have been removed by somebody else; the server ends all the
	# same. (A failed redirection of ":" would end the shell here.)
	echo yes >"$dir/abandoned"
	# The first is for a server, the second for what ignores it: a shell starts its
	# background processes so.
	[ -e "$dir/exited" ] || { kill -QUIT "$server"; kill -TERM "$server"; }
} 2>/dev/null &
watch=$!

exec 4<&-
wait "$server"
echo "$?" >"$dir/exited"
# A shared server's directory goes when its users have gone. A private one's owner
# may start it again: then nobody must be left who would signal this process id.
if [ -p "$dir/users" ]; then
	wait "$watch"
elif [ ! -e "$dir/abandoned" ]; then
	kill "$watch" 2>/dev/null
fi
if [ -e "$dir/abandoned" ]; then rm -rf "$dir"; fi
